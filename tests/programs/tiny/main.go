// Tiny needs the runtime and nothing else: the smallest input that is real.
package main

func main() { println("tiny") }
