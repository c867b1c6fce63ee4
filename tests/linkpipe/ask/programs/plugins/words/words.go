// Package words is what a host and its plugins share.
package words

type Greeting struct{ Name string }

func (g Greeting) String() string { return "hello, " + g.Name }
