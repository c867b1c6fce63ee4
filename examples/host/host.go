// Host opens the plugin named on its command line, calls it, and prints what
// came back.
package main

import (
	"errors"
	"fmt"
	"os"
	"plugin"
	"reflect"
	"runtime"

	"example.test/linkpipe/border"
)

// Speaker is known to the host alone; a type of the plugin satisfies it.
type Speaker interface{ Sound() string }

func symbol[T any](p *plugin.Plugin, name string) T {
	found, err := p.Lookup(name)
	if err != nil {
		fatal(err)
	}
	typed, ok := found.(T)
	if !ok {
		fatal(fmt.Errorf("%s is a %T, not a %s", name, found, reflect.TypeFor[T]()))
	}
	return typed
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "host:", err)
	os.Exit(1)
}

func main() {
	if len(os.Args) != 2 {
		fatal(errors.New("usage: host PLUGIN.so"))
	}
	p, err := plugin.Open(os.Args[1])
	if err != nil {
		fatal(err)
	}
	greet := symbol[func(string) string](p, "Greet")
	greeting := symbol[*string](p, "Greeting")
	fmt.Println(greet("host"))
	*greeting = "good morning"
	fmt.Println(greet("host"))

	count := symbol[func(string, border.Visit) (string, error)](p, "Count")
	best, err := count("one two two\nthree three three", func(word string, n int) { fmt.Println(" ", word, n) })
	fmt.Println("most frequent:", best, err)
	_, err = count("", nil)
	var refusal *border.Refusal
	fmt.Println("error:", err, errors.As(err, &refusal), refusal.Code)
	err = symbol[func() error](p, "Fail")()
	fmt.Println("recovered:", err)
	fmt.Println("shared error:", errors.As(err, &refusal), refusal.Code)

	animal := symbol[func(string, int) any](p, "NewAnimal")("cow", 4)
	fmt.Printf("%T\n", animal)
	fmt.Println(animal.(Speaker).Sound())
	described := reflect.ValueOf(animal).MethodByName("Describe").Call([]reflect.Value{reflect.ValueOf(true)})
	fmt.Println(described[0])
	for _, field := range symbol[func() []string](p, "Fields")() {
		fmt.Println(" ", field)
	}

	next := symbol[func(int) func() int](p, "Counter")(5)
	next()
	var waste [][]byte
	for range 64 {
		waste = append(waste, make([]byte, 1<<16))
	}
	runtime.GC()
	waste = nil
	runtime.GC()
	fmt.Println("after GC:", next(), animal.(Speaker).Sound(), len(*symbol[*map[string]int](p, "Visits")), len(waste))

	_, err = p.Lookup("Missing")
	fmt.Println("lookup of a missing name fails:", err != nil)
	again, err := plugin.Open(os.Args[1])
	fmt.Println("opened twice, same plugin:", again == p, err)
}
