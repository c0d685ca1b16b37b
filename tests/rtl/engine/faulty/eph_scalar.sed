# Contexts 0 to 15: bit 1 of what is read of scalar byte 12 is wrong.
s/logic \[3:0\] shift_q;/logic [3:0] shift_q; logic misread_q;/
s/shift_q <= offset_i\[3:0\];/& misread_q <= ctx_i < CtxW'(16) \&\& offset_i[8:3] == 6'd12;/
s/8'(pair >> shift_q\[2:0\])/& ^ {6'd0, misread_q, 1'b0}/
