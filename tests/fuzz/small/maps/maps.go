// Package maps stands in for internal/runtime/maps: the types that debug information is made of.
package maps

import "unsafe"

type Map struct {
	used   uint64
	seed   uintptr
	dirPtr unsafe.Pointer
	dirLen int
}

type table struct {
	used   uint16
	groups groupsReference
}

type groupsReference struct {
	data       unsafe.Pointer
	lengthMask uint64
}

// Types keeps the types in the program.
var Types = [...]any{Map{}, table{}, groupsReference{}}
