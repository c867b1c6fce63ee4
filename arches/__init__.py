"""The architectures, one file each. Nothing imports them by name: entry points do."""
