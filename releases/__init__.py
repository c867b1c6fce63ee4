"""The releases of Go, one file each. Nothing imports them by name: entry points do."""
