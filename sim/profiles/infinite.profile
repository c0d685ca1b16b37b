# No device at all, only its PCIe round trip: what an application can gain at most. Limited by the computation on this machine:
# ephemera-sim --measure --backend timed --profile THIS says at what rate.
engines = 1
clock_mhz = 160
contexts = 64
x25519.derive = 181248
x25519.keygen = 37312
pcie_round_trip_ns = 2000
rate = infinite
