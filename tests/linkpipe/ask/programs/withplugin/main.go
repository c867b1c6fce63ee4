// Withplugin may open a plugin, which may call any method.
package main

import (
	"fmt"
	"os"
	"plugin"
)

type gadget struct{}

func (gadget) On() {}

func main() {
	_, err := plugin.Open(os.Args[1])
	fmt.Println(gadget{}, err)
}
