// Methods counts the methods of a type: since Go 1.26 with an iterator, which switches pruning off.
package main

import "reflect"

type gadget struct{}

func (gadget) On() {}

func main() { println(methods(reflect.TypeOf(gadget{}))) }
