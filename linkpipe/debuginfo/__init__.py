"""Debug information: the entries that the linker writes itself, and how they are encoded."""
