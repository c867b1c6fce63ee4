"""Commands: the `go tool link` face, the toolexec stub's other half, and those for people."""
