// Package border holds the types that the host and its plugin share. Both link
// a copy; the plugin is refused when the two were not compiled from one source.
package border

import "fmt"

// Refusal is an error that the plugin makes and the host takes apart.
type Refusal struct {
	Asked string
	Code  int
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused %q (code %d)", r.Asked, r.Code) }

// Visit is called by the plugin with what it found.
type Visit func(word string, count int)
