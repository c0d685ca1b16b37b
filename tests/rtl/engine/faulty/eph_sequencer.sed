# Contexts 16 to 31: a digit is skipped.
s/s4_q.offset - step/s4_q.offset - ((x4_q[5:4] == 2'd1 \&\& s4_q.pos == 9'd20) ? step << 1 : step)/
