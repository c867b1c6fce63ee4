// Frames are large, for the dynamic linker runs on the goroutine's stack; C wants it aligned.

TEXT ·abs(SB), 0, $16384-8
	MOVL n+0(FP), AX
	MOVL SP, SI
	SUBL $16, SP
	ANDL $~15, SP
	MOVL AX, 0(SP)
	CALL libc_abs(SB)
	MOVL SI, SP
	MOVL AX, ret+4(FP)
	RET

TEXT ·ffs(SB), 0, $16384-8
	MOVL n+0(FP), AX
	MOVL SP, SI
	SUBL $16, SP
	ANDL $~15, SP
	MOVL AX, 0(SP)
	CALL libc_ffs(SB)
	MOVL SI, SP
	MOVL AX, ret+4(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	CALL libm_fabs(SB)
	RET
