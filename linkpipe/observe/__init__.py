"""Observers of the runner: timing, dumps, verification, logs. No pass knows of them."""
