"""What the runtime knows of functions: funcdata, source files."""
