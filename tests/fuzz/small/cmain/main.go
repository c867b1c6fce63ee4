// The small program with C code.
package main

import "fuzz/c"

func main() { c.Run() }
