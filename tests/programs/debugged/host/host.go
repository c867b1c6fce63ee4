// Host opens the plugin named on its command line and calls it on a goroutine
// of its own, while another one waits; test_debuggers.py breaks at the marked
// lines.
package main

import (
	"fmt"
	"os"
	"plugin"
	"strings"
)

//go:noinline
func ask(tally func(string) int, text string) int {
	names := []string{"first", "second"}
	ages := map[string]int{"cow": 7}
	label := strings.Repeat("ab", 3)
	answer := tally(text) // break: host
	use(names, ages, label)
	return answer
}

// use keeps what it is given in being until it is called, whole.
//
//go:noinline
func use(names []string, ages map[string]int, label string) {
	if len(names)+len(ages)+len(label) == 0 {
		panic("nothing")
	}
}

//go:noinline
func waiter(ready, done chan int) {
	ready <- 1
	<-done
}

func main() {
	opened, err := plugin.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	found, err := opened.Lookup("Tally")
	if err != nil {
		panic(err)
	}
	ready, done, result := make(chan int), make(chan int), make(chan int)
	go waiter(ready, done)
	<-ready
	go func() { result <- ask(found.(func(string) int), "one two two") }()
	fmt.Println("total:", <-result)
	close(done)
}
