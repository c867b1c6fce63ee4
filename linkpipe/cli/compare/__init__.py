"""Compares two linked files and says in words where they part."""
