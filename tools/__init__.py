"""What keeps the repository: scripts that write what follows from something else."""
