// Frames are large, for the dynamic linker runs on the goroutine's stack.

TEXT ·abs(SB), 0, $16384-12
	MOVW n+0(FP), R0
	CALL libc_abs(SB)
	MOVW R0, ret+8(FP)
	RET

TEXT ·ffs(SB), 0, $16384-12
	MOVW n+0(FP), R0
	CALL libc_ffs(SB)
	MOVW R0, ret+8(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	CALL libm_fabs(SB)
	RET
