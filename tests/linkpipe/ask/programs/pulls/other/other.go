// Other has variables that it tells nobody of.
package other

import _ "unsafe"

var hidden int

var filled = "something"

//go:linkname marked
var marked int

// Show keeps them.
//
//go:noinline
func Show() int { return hidden + len(filled) + marked }
