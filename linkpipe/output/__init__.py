"""From laid out tables to a file: contents, ELF headers, hashes, writing."""
