"""An architecture for linkpipe in a package of its own."""
