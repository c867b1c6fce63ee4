"""Machine words as data: numbers, and addresses that become relocations."""

from __future__ import annotations

import attrs


@attrs.frozen
class Address:
    """A word that will hold the address of a symbol, plus ``add``."""

    target: int
    add: int = 0


Word = int | Address
