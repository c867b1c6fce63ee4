"""Two linked files compared: headers, sections, symbols, relocations."""
