package main

//go:cgo_import_dynamic libc_abs abs#GLIBC_2.27 "libc.so.6"
//go:cgo_import_dynamic libm_fabs fabs#GLIBC_2.27 "libm.so.6"
