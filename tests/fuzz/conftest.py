"""The folder for outputs is that of the comparison."""

from __future__ import annotations

from tests.conformance.conftest import folder

__all__ = ["folder"]
