"""harden: ask for what makes a binary harder to attack, and check that it is there."""
