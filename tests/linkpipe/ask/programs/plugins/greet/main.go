// A plugin.
package main

import "looking.test/plugins/words"

func Greet(greeting words.Greeting) string { return greeting.String() + ", from a plugin" }

func main() {}
