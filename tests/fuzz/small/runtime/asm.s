// 516 is NOSPLIT|NOFRAME.
TEXT _rt0_entry(SB),516,$0
	CALL	runtime·start(SB)
	RET
