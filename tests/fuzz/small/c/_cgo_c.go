// Package c is a package with C code, as cgo writes it: what its archive defines and asks for.
package c

import "unsafe"

//go:cgo_import_static c_total
//go:linkname c_total c_total
var c_total byte
var total = unsafe.Pointer(&c_total)

//go:cgo_import_static c_name
//go:linkname c_name c_name
var c_name byte
var name = unsafe.Pointer(&c_name)

//go:cgo_import_dynamic puts puts#GLIBC_2.0 "libc.so.6"
//go:cgo_import_dynamic environ environ#GLIBC_2.0 "libc.so.6"
//go:cgo_import_dynamic _ _ "libc.so.6"

//go:cgo_export_static c_back
//go:linkname c_back c_back
//go:nosplit
func c_back(n int) int { return n + counted }

var counted int

func Run() int {
	if total == name {
		counted++
	}
	return c_back(counted)
}
