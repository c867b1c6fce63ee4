"""Times linkpipe beside `go tool link`."""
