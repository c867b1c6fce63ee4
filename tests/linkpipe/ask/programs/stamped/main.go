// Stamped has variables to set with -X.
package main

import "os"

var (
	Version string
	Commit  = "unknown"
	Built   = os.Getenv("BUILT")
	Banner  = "version " + Version + os.Getenv("SUFFIX")
	Level   int
	Idle    string
)

const Name = "stamped"

func main() { println(Name, Version, Commit, Built, Banner, Level) }
