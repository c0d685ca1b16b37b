# One engine on an xc7z020. Clock: stated, not routed (a prototype of the whole engine routed at 163.7 MHz). Cycles: as the RTL
# and the model count them. PCIe round trip: an assumption, doorbell to visible completion less the computation.
engines = 1
clock_mhz = 160
contexts = 64
x25519.derive = 181248
x25519.keygen = 37312
pcie_round_trip_ns = 2000
