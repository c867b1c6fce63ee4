package main

type point struct {
	X int `go:"track"`
	Y int `go:"track"`
	z int
}

type line struct {
	from, to point
	Name     string `go:"track"`
	Color    string `go:"track"`
}

var fields string

//go:noinline
func (p *point) width() int { return p.X }

//go:noinline
func (l *line) show() { println(l.Name, l.to.width()-l.from.width()) }

func main() {
	l := line{to: point{z: 1}}
	l.show()
	print(fields)
}
