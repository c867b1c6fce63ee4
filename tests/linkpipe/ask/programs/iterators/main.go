// Iterators ranges over the methods of a type, which it knows as an interface only.
package main

import "reflect"

type gadget struct{}

func (gadget) On() {}

//go:noinline
func list(t reflect.Type) (names []string) {
	for method := range t.Methods() {
		names = append(names, method.Name)
	}
	return names
}

func main() { println(len(list(reflect.TypeOf(gadget{})))) }
