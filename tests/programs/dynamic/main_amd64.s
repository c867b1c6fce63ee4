// Frames are large, for the dynamic linker runs on the goroutine's stack; C wants it aligned.

TEXT ·abs(SB), 0, $16384-12
	MOVL n+0(FP), DI
	MOVQ SP, BX
	ANDQ $~15, SP
	CALL libc_abs(SB)
	MOVQ BX, SP
	MOVL AX, ret+8(FP)
	RET

TEXT ·ffs(SB), 0, $16384-12
	MOVL n+0(FP), DI
	MOVQ SP, BX
	ANDQ $~15, SP
	CALL libc_ffs(SB)
	MOVQ BX, SP
	MOVL AX, ret+8(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	CALL libm_fabs(SB)
	RET
