"""The linker's tables: one class for each, its schema checked once, at construction."""
