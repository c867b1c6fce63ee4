"""order: functions in the order of a profile or a list."""
