// Frames are large, for the dynamic linker runs on the goroutine's stack, and C functions save
// registers in their caller's frame.

TEXT ·abs(SB), 0, $16384-12
	MOVW n+0(FP), R2
	BL libc_abs(SB)
	MOVW R2, ret+8(FP)
	RET

TEXT ·ffs(SB), 0, $16384-12
	MOVW n+0(FP), R2
	BL libc_ffs(SB)
	MOVW R2, ret+8(FP)
	RET

TEXT ·never(SB), 0, $16384-0
	BL libm_fabs(SB)
	RET
