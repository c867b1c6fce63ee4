// Frames are large, for the dynamic linker runs on the goroutine's stack; C wants it aligned.

TEXT ·abs(SB), 0, $16384-12
	MOVW n+0(FP), X10
	MOV X2, X8
	ANDI $~15, X2
	CALL libc_abs(SB)
	MOV X8, X2
	MOVW X10, ret+8(FP)
	RET

TEXT ·ffs(SB), 0, $16384-12
	MOVW n+0(FP), X10
	MOV X2, X8
	ANDI $~15, X2
	CALL libc_ffs(SB)
	MOV X8, X2
	MOVW X10, ret+8(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	CALL libm_fabs(SB)
	RET
