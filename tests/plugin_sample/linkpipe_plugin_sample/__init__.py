"""Two passes for linkpipe, each in a file of its own."""
