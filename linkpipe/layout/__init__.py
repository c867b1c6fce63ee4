"""Where symbols lie: assignment to sections, trampolines, data words."""
