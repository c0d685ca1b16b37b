# Contexts 32 to 47: the ladder's exchange never happens; the comb reads the row of a positive digit.
s/xch == XchLadder && sign_i/xch == XchLadder \&\& sign_i \&\& ctx_i[5:4] != 2'd2/
s/rom_word = {1'b0, sign_i}/rom_word = {1'b0, sign_i \&\& ctx_i[5:4] != 2'd2}/
s/xch == XchLadder && !sign_i/xch == XchLadder \&\& !(sign_i \&\& ctx_i[5:4] != 2'd2)/
