// Features uses, once each, the parts of Go that ask something of a linker,
// and prints the same lines on every run.
package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
	"unsafe"
)

//go:embed data
var files embed.FS

// version and banner are set by -X in the tests; unset keeps its value.
var (
	version = "unset"
	banner  string
)

// Reached before main, in dependency order: the linker sorts the init tasks.
var (
	second = first + 1
	first  = seed()
)

func seed() int { return 41 }

func init() { second *= 2 }

// A large read-only table, and a large zeroed one.
var table = [...]uint32{
	0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f,
	0xe963a535, 0x9e6495a3, 0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988,
	0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91, 0x1db71064, 0x6ab020f2,
}

var (
	scratch [1 << 20]byte
	links   [512]*string
	mixed   [300]struct {
		p *int
		n [7]uint16
	}
	names = map[string][]float64{"pi": {math.Pi, 3}, "e": {math.E}}
)

type Shape interface {
	Area() float64
	fmt.Stringer
}

type Square struct{ Side float64 }

func (s Square) Area() float64  { return s.Side * s.Side }
func (s Square) String() string { return fmt.Sprintf("square(%g)", s.Side) }

type Circle struct{ R float64 }

func (c *Circle) Area() float64  { return math.Pi * c.R * c.R }
func (c *Circle) String() string { return fmt.Sprintf("circle(%g)", c.R) }

// Hidden is called by reflection only, by names the linker cannot see and can.
type Hidden struct{ log []string }

func (h *Hidden) Constant(n int) string   { return strings.Repeat("c", n) }
func (h *Hidden) Variable(n int) string   { return strings.Repeat("v", n) }
func (h *Hidden) Note(format string)      { h.log = append(h.log, format) }
func (h *Hidden) unexported() (int, bool) { return len(h.log), true }

type Number interface {
	~int | ~int64 | ~float64
}

func Sum[T Number](xs ...T) (total T) {
	for _, x := range xs {
		total += x
	}
	return total
}

type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

func (p Pair[K, V]) String() string { return fmt.Sprintf("%v=>%v", p.Key, p.Value) }

type List[T any] struct {
	head *node[T]
	n    int
}

type node[T any] struct {
	value T
	next  *node[T]
}

func (l *List[T]) Push(v T) { l.head = &node[T]{v, l.head}; l.n++ }

func (l *List[T]) All() func(yield func(int, T) bool) {
	return func(yield func(int, T) bool) {
		for i, at := 0, l.head; at != nil; i, at = i+1, at.next {
			if !yield(i, at.value) {
				return
			}
		}
	}
}

type Meters int64

type Record struct {
	Name  string            `json:"name"`
	Tags  []string          `json:"tags,omitempty"`
	Extra map[string]any    `json:"extra"`
	When  time.Time         `json:"when"`
	Inner *Record           `json:"inner,omitempty"`
	Attrs map[string]string `json:"-"`
}

type NotFound struct{ What string }

func (e *NotFound) Error() string        { return "not found: " + e.What }
func (e *NotFound) Is(target error) bool { return target == io.EOF }

func counter() (next func() int, reset func()) {
	n := 0
	return func() int { n++; return n }, func() { n = 0 }
}

func guarded(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("runtime: %w", r)
		case error:
			err = r
		default:
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	f()
	return nil
}

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case int, int64:
		return fmt.Sprintf("int %d", v)
	case string:
		return "string " + v
	case []byte:
		return "bytes " + string(v)
	case Shape:
		return "shape " + v.String()
	case error:
		return "error " + v.Error()
	case func() int:
		return fmt.Sprint("func ", v())
	default:
		return "other " + reflect.TypeOf(v).String()
	}
}

func goroutines() {
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		results = make(chan Pair[int, int], 4)
		done    = make(chan struct{})
		seen    = map[int]int{}
	)
	for i := range 16 {
		wg.Add(1)
		go func() { defer wg.Done(); results <- Pair[int, int]{i, i * i} }()
	}
	go func() { wg.Wait(); close(done) }()
	for open := true; open || len(results) > 0; {
		select {
		case p := <-results:
			mu.Lock()
			seen[p.Key] = p.Value
			mu.Unlock()
		case <-done:
			open, done = false, nil
		case <-time.After(time.Minute):
			panic("stuck")
		}
	}
	fmt.Println("goroutines", slices.Sorted(maps.Values(seen)))
}

func reflection() {
	h := &Hidden{}
	v := reflect.ValueOf(h)
	constant := v.MethodByName("Constant").Call([]reflect.Value{reflect.ValueOf(3)})
	name := strings.Join([]string{"Vari", "able"}, "")
	variable := v.MethodByName(name).Call([]reflect.Value{reflect.ValueOf(2)})
	v.MethodByName("Note").Call([]reflect.Value{reflect.ValueOf("noted")})
	fmt.Println("reflect", constant[0], variable[0], h.log, v.NumMethod())

	t := reflect.TypeFor[Record]()
	for i := range t.NumField() {
		f := t.Field(i)
		fmt.Println(" field", f.Name, f.Type, f.Tag.Get("json"), f.Offset)
	}
	made := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), reflect.TypeFor[Meters]()))
	made.SetMapIndex(reflect.ValueOf("mile"), reflect.ValueOf(Meters(1609)))
	fn := reflect.MakeFunc(reflect.TypeFor[func(int) int](), func(in []reflect.Value) []reflect.Value {
		return []reflect.Value{reflect.ValueOf(int(in[0].Int()) * 2)}
	})
	fmt.Println("made", made.Interface(), fn.Interface().(func(int) int)(21))
	st := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int]()}})
	fmt.Println("struct", st, st.Size(), reflect.ChanOf(reflect.BothDir, st))
}

func main() {
	fmt.Println("version", version, "banner", len(banner), "init", first, second)
	poem, err := files.ReadFile("data/poem.txt")
	fmt.Printf("embed %q %v\n", poem, err)

	fmt.Println("sum", Sum(1, 2, 3), Sum(1.5, 2.5), Sum[Meters](4, 5))
	list := &List[Pair[string, int]]{}
	list.Push(Pair[string, int]{"a", 1})
	list.Push(Pair[string, int]{"b", 2})
	for i, p := range list.All() {
		fmt.Println(" pair", i, p)
	}

	next, reset := counter()
	next()
	n := next()
	reset()
	fmt.Println("closure", n, next())
	area := Shape.Area
	text := (&Circle{1}).String
	fmt.Println("method values", area(Square{3}), text())

	shapes := []Shape{&Circle{2}, Square{2}, &Circle{1}}
	sort.Slice(shapes, func(i, j int) bool { return shapes[i].Area() < shapes[j].Area() })
	fmt.Println("shapes", shapes)
	for _, v := range []any{nil, 1, int64(2), "s", []byte("b"), Square{1}, &NotFound{"x"}, next, table, Meters(3)} {
		fmt.Println(" kind", kind(v))
	}

	fmt.Println("recovered", guarded(func() { _ = links[len(os.Args)+1000] }))
	fmt.Println("recovered", guarded(func() { panic(&NotFound{"y"}) }))
	fmt.Println("recovered", guarded(func() { var s Shape; s.Area() }))
	fmt.Println("recovered", guarded(func() { panic(fmt.Sprint("z", 1)) }))
	var missing *NotFound
	wrapped := fmt.Errorf("wrap: %w", &NotFound{"w"})
	fmt.Println("errors", errors.As(wrapped, &missing), errors.Is(wrapped, io.EOF), missing.What)

	goroutines()
	reflection()

	record := Record{
		Name: "r", Tags: []string{"x", "y"}, Extra: map[string]any{"k": 1.5, "l": []int{1}},
		When: time.Unix(1e9, 0).UTC(), Inner: &Record{Name: "inner"},
	}
	data, err := json.Marshal(record)
	fmt.Println("json", string(data), err)
	var back Record
	fmt.Println("json", json.Unmarshal(data, &back), back.Inner.Name, reflect.DeepEqual(back.When, record.When))

	scratch[len(scratch)-1] = 7
	s := "here"
	links[3], mixed[7].p, mixed[7].n[6] = &s, &n, 9
	runtime.GC()
	fmt.Println("memory", *links[3], *mixed[7].p, bytes.Count(scratch[:], []byte{7}), unsafe.Sizeof(mixed))
	fmt.Println("maps", slices.Sorted(maps.Keys(names)), len(names["pi"]), table[5], min(3, n), strings.ToUpper("ok"))

	pc, _, _, ok := runtime.Caller(0)
	fmt.Println("caller", runtime.FuncForPC(pc).Name(), ok)
}
