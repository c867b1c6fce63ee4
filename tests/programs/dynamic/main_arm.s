// Frames are large, for the dynamic linker runs on the goroutine's stack; C wants it aligned.

TEXT ·abs(SB), 0, $16384-8
	MOVW n+0(FP), R0
	MOVW R13, R4
	BIC $7, R13
	CALL libc_abs(SB)
	MOVW R4, R13
	MOVW R0, ret+4(FP)
	RET

TEXT ·ffs(SB), 0, $16384-8
	MOVW n+0(FP), R0
	MOVW R13, R4
	BIC $7, R13
	CALL libc_ffs(SB)
	MOVW R4, R13
	MOVW R0, ret+4(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	CALL libm_fabs(SB)
	RET
