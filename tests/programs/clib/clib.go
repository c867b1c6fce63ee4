// A library for C programs: numbers, strings, memory of C's, a callback, goroutines and a panic that
// is recovered from, each through an exported function.
package main

/*
#include <stdlib.h>
#include <string.h>

typedef int (*callback)(int);
static int call(callback f, int x) { return f(x); }
static int counted;
static int count(void) { return ++counted; }
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

var banner = "not set"

var started = func() string { return runtime.GOOS }()

//export Add
func Add(a, b C.int) C.int { return a + b }

//export Upper
func Upper(text *C.char) *C.char { return C.CString(strings.ToUpper(C.GoString(text))) }

//export Free
func Free(text *C.char) { C.free(unsafe.Pointer(text)) }

//export Twice
func Twice(f C.callback, x C.int) C.int { return C.call(f, C.call(f, x)) }

//export Sum
func Sum(n C.int) C.int {
	var wait sync.WaitGroup
	parts := make(chan int, n)
	for i := range int(n) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			parts <- i
		}()
	}
	wait.Wait()
	close(parts)
	sum := 0
	for part := range parts {
		sum += part
	}
	runtime.GC()
	return C.int(sum)
}

//export Recovered
func Recovered(index C.int) (code C.int) {
	defer func() {
		if wrong := recover(); wrong != nil {
			fmt.Fprintln(os.Stdout, "recovered:", wrong)
			code = -1
		}
	}()
	return []C.int{10, 20, 30}[index]
}

//export Describe
func Describe() {
	fmt.Fprintf(os.Stdout, "%s, started on %s, counted %d\n", banner, started, C.count())
}

func main() { fmt.Println("nobody calls main of a library") }
