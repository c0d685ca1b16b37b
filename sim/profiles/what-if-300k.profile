# What if: a card of 300,000 X25519 derives a second (engines x contexts x clock / cycles). Nobody has built it.
engines = 6
clock_mhz = 141.6
contexts = 64
x25519.derive = 181248
x25519.keygen = 37312
pcie_round_trip_ns = 2000
