"""The links of linkpipe.testing, for amd64 unless said otherwise: tests have its numbers."""

from __future__ import annotations

from typing import Any

import attrs

from linkpipe import testing
from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.tables.mode import Mode
from linkpipe.testing.links import EXTERNAL, INTERNAL, PLUGIN, no_relocs, no_symbols

__all__ = ["EXTERNAL", "INTERNAL", "PLUGIN", "Tiny", "no_relocs", "no_symbols", "with_arch"]


class Tiny(testing.Tiny):
    """A link made by hand, for amd64."""

    def __init__(self, mode: Mode = INTERNAL, arch: Architecture = ARCH, **flags: Any) -> None:
        super().__init__(mode, arch, **flags)


def with_arch(arch: Architecture, **fields: Any) -> Architecture:
    """An architecture that differs in a few fields."""
    return attrs.evolve(arch, **fields)
