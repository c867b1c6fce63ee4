package main

import (
	"fmt"
	"net"
	"os/user"
)

func main() {
	u, err := user.Current()
	fmt.Println(u != nil, err)
	a, err := net.LookupHost("localhost")
	fmt.Println(len(a) > 0, err)
}
