"""Bytes to tables and back, and nothing else."""
