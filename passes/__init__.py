"""The linker's stages, one file each. Nothing imports them by name: entry points do."""
