"""Tests of linkpipe.debuginfo."""
