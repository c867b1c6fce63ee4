"""slim: smaller binaries."""
