"""A pass for linkpipe."""
