// Deep comes to MethodByName three calls away from main.
package main

import (
	"os"

	"looking.test/deep/helper"
)

type gadget struct{ n int }

func (g gadget) On() int  { return g.n }
func (g gadget) Off() int { return -g.n }

//go:noinline
func run(name string) int { return helper.Call(gadget{1}, name) }

func main() { println(run(os.Args[1])) }
