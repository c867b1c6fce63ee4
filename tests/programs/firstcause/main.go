// One function, deep, calls a method whose name is not known; all others follow from that.
package main

import (
	"fmt"
	"os"
	"reflect"
)

type gadget struct{}

func (gadget) On() string { return "on" }

// Inspect is never called; it is only kept because deep (below) switches pruning off.
func (g gadget) Inspect(i int) reflect.Value { return reflect.ValueOf(g).Method(i) }

//go:noinline
func a(v any, n string) string { return b(v, n) }

//go:noinline
func b(v any, n string) string { return c(v, n) }

//go:noinline
func c(v any, n string) string { return deep(v, n) }

//go:noinline
func deep(v any, n string) string {
	return fmt.Sprint(reflect.ValueOf(v).MethodByName(n).Call(nil)[0])
}

func main() { println(a(gadget{}, os.Args[1])) }
