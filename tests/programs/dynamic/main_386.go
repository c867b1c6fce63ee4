package main

//go:cgo_import_dynamic libc_abs abs#GLIBC_2.0 "libc.so.6"
//go:cgo_import_dynamic libm_fabs fabs#GLIBC_2.0 "libm.so.6"
//go:cgo_import_dynamic main.labs labs#GLIBC_2.0 "libc.so.6"

// What labs is the dynamic linker finds out, and writes its address into the variable beside it.
var (
	labs    byte
	address = &labs
)

func init() {
	if address == nil {
		panic("nobody wrote the address of labs")
	}
}
