// Pulls takes another package's variables, one that has content and one that has none.
package main

import (
	"fmt"
	_ "unsafe"

	"looking.test/pulls/other"
)

//go:linkname seen looking.test/pulls/other.hidden
var seen int

//go:linkname filled looking.test/pulls/other.filled
var filled string

func main() {
	seen++
	fmt.Println(other.Show(), filled)
}
