"""C objects that are linked here: their sections and symbols become the link's."""
