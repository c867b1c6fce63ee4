// Package lib is what the small program imports: a little of everything that a compiler writes.
package lib

import "unsafe"

type Shape interface {
	Area() int
	Name() string
}

type Base struct {
	Title string `json:"title" other:"x"`
	Tags  []string
}

func (b *Base) Name() string { return b.Title }

type Square struct {
	Base
	Side int
	Next *Square
}

func (s *Square) Area() int { return s.Side * s.Side }

type Circle struct {
	*Base
	Radius int
}

func (c Circle) Area() int { return 3 * c.Radius * c.Radius }

type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

func (p Pair[K, V]) First() K { return p.Key }

func Map[T, U any](list []T, f func(T) U) (out [4]U) {
	for i, v := range list {
		out[i&3] = f(v)
	}
	return out
}

var (
	Shapes  = [2]Shape{&Square{Side: 2}, Circle{Radius: 1}}
	Version = "none"
	Table   = [...]uint16{1, 2, 3, 5, 8}
	Zeros   [4096]byte
	Grid    [64]*int
	Count   = start()
	Funcs   = [2]func(int) int{twice, func(x int) int { return x + Count }}
)

var Anything = []any{map[string]int(nil), (chan *int)(nil), Table, Local, uintptr(0), unsafe.Pointer(nil)}

func start() int { return len(Version) }

func init() { Count += twice(len(Table)) + len(Anything) }

func twice(x int) int { return x + x }

//go:noinline
func Total(shapes []Shape) (n int) {
	for _, s := range shapes {
		n += s.Area() + len(s.Name())
	}
	return n
}

//go:linkname hidden
func hidden(x int) int { return inner(x) + 1 }

func inner(x int) int { return deeper(x) * 2 }

func deeper(x int) int {
	if x > 10 {
		return x - Count
	}
	return x
}

func Local(x int) int {
	var big [200]int
	for i := range big {
		big[i] = x * i
	}
	f := func(y int) int { return big[y&127] + x }
	return f(x) + hidden(x)
}
