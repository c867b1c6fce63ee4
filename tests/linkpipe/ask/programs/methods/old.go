//go:build !go1.26

package main

import "reflect"

//go:noinline
func methods(t reflect.Type) int { return t.NumMethod() }
