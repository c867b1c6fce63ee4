// Several has two causes, and a method that would be one if it were not kept by the others alone.
package main

import (
	"os"
	"reflect"
)

type gadget struct{}

func (gadget) On() int { return 1 }

// Inspect is never called.
func (g gadget) Inspect(i int) reflect.Value { return reflect.ValueOf(g).Method(i) }

//go:noinline
func byNumber(v any, i int) string { return reflect.TypeOf(v).Method(i).Name }

//go:noinline
func byName(v any, name string) bool { return reflect.ValueOf(v).MethodByName(name).IsValid() }

func main() { println(byNumber(gadget{}, len(os.Args)), byName(gadget{}, os.Args[0])) }
