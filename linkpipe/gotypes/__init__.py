"""Go type descriptors: where their fields are, reading them, their order, where pointers lie."""
