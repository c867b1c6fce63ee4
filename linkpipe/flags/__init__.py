"""Flags and environment become one frozen, checked Options."""
