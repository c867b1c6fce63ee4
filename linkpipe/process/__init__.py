"""The processes of a command: a small parent, the child that does the work, what they leave."""
