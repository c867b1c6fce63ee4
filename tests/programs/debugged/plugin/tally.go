// Plugin is looked at with a debugger: test_debuggers.py breaks at the marked
// lines and asserts the values of the variables there.
package main

import "strings"

// Animal is a type that the host has never seen.
type Animal struct {
	Name string
	Legs int
}

// Tally is called by the host; its locals are a map, a slice, a string and a
// pointer to a struct.
//
//go:noinline
func Tally(text string) int {
	words := strings.Fields(text)
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++
	}
	shout := strings.ToUpper(text)
	cow := &Animal{Name: "cow", Legs: 4}
	total := add(len(counts), len(words)) // break: plugin
	use(words, counts, shout, cow)
	return total
}

// use keeps what it is given in being until it is called, whole.
//
//go:noinline
func use(words []string, counts map[string]int, shout string, cow *Animal) {
	if len(words)+len(counts)+len(shout)+cow.Legs == 0 {
		panic("nothing")
	}
}

//go:noinline
func add(a, b int) int {
	return a + b // break: leaf
}

func main() {}
