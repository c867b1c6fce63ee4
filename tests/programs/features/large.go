//go:build amd64 || arm64 || s390x

package main

import "fmt"

// A struct with fields beyond 2 and 4 GiB: where debug information says they are.
type large struct {
	head  [1 << 31]byte
	field int
	rest  [1 << 32]byte
	last  int
}

func init() {
	var none *large
	fmt.Printf("%T %v\n", none, none == nil)
}
