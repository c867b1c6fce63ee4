package main

import "C"

//export goAdd
func goAdd(a, b C.int) C.int { return a + b }
