package one

import _ "unsafe"

//go:linkname shared programs.test/shared.shared
//go:noinline
func shared() int { return len("one") }

func Value() int { return shared() }
