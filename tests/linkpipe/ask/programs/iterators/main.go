// Iterators ranges over the methods of a type.
package main

import "reflect"

type gadget struct{}

func (gadget) On() {}

//go:noinline
func list(v any) (names []string) {
	for method := range reflect.TypeOf(v).Methods() {
		names = append(names, method.Name)
	}
	return names
}

func main() { println(len(list(gadget{}))) }
