"""linkpipe: a second, independent Go linker, as a pipeline of passes."""

from __future__ import annotations

__version__ = "0.1.0"
