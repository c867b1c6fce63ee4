"""obfuscate: names that the linker writes for the runtime, hidden."""
