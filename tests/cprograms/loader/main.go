// Looks up a host and a user by the C library, and opens plugins.
package main

import (
	"fmt"
	"net"
	"os/user"
	"plugin"
)

func main() {
	u, err := user.Current()
	fmt.Println(u != nil, err)
	a, err := net.LookupHost("localhost")
	fmt.Println(len(a) > 0, err)
	p, err := plugin.Open("/nowhere/plugin.so")
	fmt.Println(p, err != nil)
}
