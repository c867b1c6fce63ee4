// Package helper calls a method whose name is not known when the program is linked.
package helper

import "reflect"

//go:noinline
func Call(v any, name string) int { return find(v, name) }

//go:noinline
func find(v any, name string) int {
	return int(reflect.ValueOf(v).MethodByName(name).Call(nil)[0].Int())
}
