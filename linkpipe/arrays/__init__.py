"""Array types, ragged rows, bytes moved in bulk."""
