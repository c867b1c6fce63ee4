// Duplicate defines one symbol in two packages: it compiles, and cannot be linked.
package main

import (
	"programs.test/broken/duplicate/one"
	"programs.test/broken/duplicate/two"
)

func main() { println(one.Value(), two.Value()) }
