// Plugin exports functions and variables to a host that opens it at run time.
package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"example.test/linkpipe/border"
)

// Greeting is set by the host; Greet reads it.
var Greeting = "hello"

// Visits counts the words seen; the host reads it.
var Visits = map[string]int{}

// Keep holds memory that only the plugin points to, for the garbage collector.
var Keep []*Animal

// Animal has methods that nothing in the plugin calls: the host finds Sound
// through an interface of its own, and Describe by name.
type Animal struct {
	Name string `border:"name"`
	Legs int    `border:"legs"`
}

func (a *Animal) Sound() string              { return a.Name + " says " + strings.Repeat("moo ", a.Legs/2) + "!" }
func (a *Animal) Describe(loud bool) string  { return fmt.Sprintf("%+v loud=%t", *a, loud) }
func (a *Animal) Compare(other *Animal) bool { return a.Legs < other.Legs }

type ordered interface {
	~int | ~string
}

func largest[K comparable, V ordered](m map[K]V) (best K) {
	var top V
	for k, v := range m {
		if v > top {
			best, top = k, v
		}
	}
	return best
}

// Greet uses a variable that the host may have set.
func Greet(name string) string { return fmt.Sprintf("%s, %s", Greeting, name) }

// NewAnimal gives the host a value of a type that the host has never seen.
func NewAnimal(name string, legs int) any {
	a := &Animal{name, legs}
	Keep = append(Keep, a)
	return a
}

// Count counts words on several goroutines and reports each to the host.
func Count(text string, visit border.Visit) (string, error) {
	if text == "" {
		return "", &border.Refusal{Asked: text, Code: 7}
	}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for _, line := range strings.Split(text, "\n") {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, word := range strings.Fields(line) {
				mu.Lock()
				Visits[word]++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	for _, word := range slices.Sorted(maps.Keys(Visits)) {
		visit(word, Visits[word])
	}
	return largest(Visits), nil
}

// Counter returns a closure over the plugin's memory.
func Counter(step int) func() int {
	total := 0
	return func() int { total += step; return total }
}

// Fields reads the plugin's own type by reflection.
func Fields() (out []string) {
	t := reflect.TypeFor[Animal]()
	for i := range t.NumField() {
		f := t.Field(i)
		out = append(out, fmt.Sprintf("%s %s %q", f.Name, f.Type, f.Tag.Get("border")))
	}
	for i := range reflect.PointerTo(t).NumMethod() {
		out = append(out, "method "+reflect.PointerTo(t).Method(i).Name)
	}
	return out
}

// Fail panics in the plugin and recovers there; the error wraps a shared one.
func Fail() (err error) {
	defer func() {
		if r, ok := recover().(runtime.Error); ok {
			err = fmt.Errorf("in the plugin: %w", errors.Join(&border.Refusal{Asked: "index", Code: 3}, r))
		}
	}()
	var none []int
	_ = none[len(Greeting)]
	return nil
}

func init() { Visits["init"] = 1 }

func main() {}
