// Dynamic calls functions of shared libraries without cgo, and so is linked dynamically without
// any C object.
package main

import (
	"fmt"
	"os"
)

//go:cgo_import_dynamic _ _ "libm.so.6"
//go:cgo_import_dynamic libc_ffs ffs "libc.so.6"

// Abs calls libc's abs, which has a version; ffs calls its ffs, asked for without one.
func abs(n int32) int32
func ffs(n int32) int32

// Never is never called: what it calls is in another library.
func never()

func main() {
	if len(os.Args) > 9 {
		never()
	}
	fmt.Println("abs of -7:", abs(-7), "first bit of 40:", ffs(40))
	fmt.Println("abs of -8:", abs(-8))
}
