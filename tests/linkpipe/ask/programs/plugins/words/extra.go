//go:build extra

package words

func Loud(g Greeting) string { return g.String() + "!" }
