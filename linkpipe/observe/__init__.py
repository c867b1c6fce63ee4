"""Observers of the runner: timing, dumps, checks, logs. No pass knows of them."""
