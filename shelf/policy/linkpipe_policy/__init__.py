"""policy: fail the link when something forbidden is in the program."""
