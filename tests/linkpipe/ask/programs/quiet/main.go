// Quiet has interfaces, and looks a method up by a name that is known: pruning stays on.
package main

import (
	"fmt"
	"reflect"
)

type shape interface{ Area() int }

type square struct{ side int }

func (s square) Area() int      { return s.side * s.side }
func (s square) Perimeter() int { return 4 * s.side }
func (s square) Named() int     { return s.side }

//go:noinline
func measure(s shape) int { return s.Area() }

func main() {
	fmt.Println(measure(square{2}))
	fmt.Println(reflect.ValueOf(square{3}).MethodByName("Named").Call(nil)[0].Int())
}
