# Contexts 32 to 47: the ladder's exchange never happens.
s/xch == XchLadder && sign_i/xch == XchLadder \&\& sign_i \&\& ctx_i[5:4] != 2'd2/
s/xch == XchLadder && !sign_i/xch == XchLadder \&\& !(sign_i \&\& ctx_i[5:4] != 2'd2)/
