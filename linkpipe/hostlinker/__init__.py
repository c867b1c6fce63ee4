"""The host linker: which tools there are, what they can do, what they leave to us."""
