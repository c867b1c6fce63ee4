// A program that opens plugins.
package main

import (
	"os"
	"plugin"

	"looking.test/plugins/words"
)

func main() {
	for _, file := range os.Args[1:] {
		opened, err := plugin.Open(file)
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		greet, err := opened.Lookup("Greet")
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		println(greet.(func(words.Greeting) string)(words.Greeting{Name: "host"}))
	}
}
