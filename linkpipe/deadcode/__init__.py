"""Dead code elimination: what can be reached from the roots, by Go's rules for methods."""
