package two

import _ "unsafe"

//go:linkname shared programs.test/shared.shared
//go:noinline
func shared() int { return len("two") }

func Value() int { return shared() }
