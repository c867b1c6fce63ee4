"""Machine words as data: numbers, and addresses that become relocations."""

from __future__ import annotations

from linkpipe.values import Value, record


@record
class Address(Value):
    """A word that will hold the address of a symbol.

    Attributes:
        target: the symbol's id.
        add: bytes to add to it.
    """

    target: int
    add: int = 0


Word = int | Address
