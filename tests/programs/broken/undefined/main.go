// Undefined calls a function that nobody defines: it compiles, and cannot be linked.
package main

import _ "unsafe"

//go:linkname missing programs.test/nowhere.missing
func missing() int

func main() { println(missing()) }
