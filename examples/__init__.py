"""What there is to see: the demonstration, and the Go programs and the observer that it shows."""
