// The small program of the campaign.
package main

import "fuzz/lib"

type point struct{ X, Y int }

func (p point) Area() int    { return p.X * p.Y }
func (p point) Name() string { return "point" }

var Exported = lib.Pair[string, point]{Key: "k"}

func Twice(x int) int { return 2 * x }

var list = []int{1, 2, 3}

var any1 any = Exported

func main() {
	var s lib.Shape = point{1, 2}
	n := lib.Total(lib.Shapes[:]) + s.Area() + lib.Local(3)
	out := lib.Map(list, func(x int) string { return Exported.First() })
	if p, ok := any1.(interface{ First() string }); ok {
		n += len(p.First())
	}
	for _, f := range lib.Funcs {
		n += f(n)
	}
	lib.Count = n + len(out[0]) + len(lib.Zeros)
	lib.Grid[0] = &lib.Count
}
