"""Links real programs with `go tool link` and with linkpipe, and compares."""
