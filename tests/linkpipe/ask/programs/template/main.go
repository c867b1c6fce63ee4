// Template executes a text template, which calls methods by names that are in the template.
package main

import (
	"os"
	"text/template"
)

type page struct{ Title string }

func (p page) Upper() string { return p.Title }

func main() {
	t := template.Must(template.New("page").Parse("{{.Upper}}\n"))
	if err := t.Execute(os.Stdout, page{"x"}); err != nil {
		panic(err)
	}
}
