"""One change of an input, as data, and the numbers that are put in the place of others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import attrs


@attrs.frozen
class Edit:
    """One change.

    Attributes:
        file: import path of the package whose archive is changed; the name of another input.
        kind: what is changed: a block, what a symbol's content is, "header" …; for the figures.
        how: set, swap, copy, append (records); flip (a bit); resize (of what a symbol owns); bytes
            (in the content of a symbol or section); name (of a symbol or section); directives (of
            cgo, to add); splice (anywhere in it); text (all of it).
        object: which of the archive's objects.
        row: a record; for resize and bytes, a symbol's local index.
        symbol: in place of a row, the symbol that it is of (and ``nth`` of its records).
        other: the second record; where a resize or bytes begin; how many bytes a splice cuts out.
        field: of the record; "rehash" for bytes and resize when the content's hash is made to fit,
            so that the symbol is not taken for another that is as before.
        value: what is put there; rows that a resize doubles (cuts out, below zero).
        text: bytes that are put there, each as a character.
    """

    file: str
    kind: str
    how: str
    object: int = 0
    row: int = 0
    symbol: str = ""
    nth: int = 0
    other: int = 0
    field: str = ""
    value: int = 0
    text: str = ""

    def as_data(self) -> dict[str, Any]:
        """The attributes that say something."""
        rows = attrs.asdict(self)
        return {key: value for key, value in rows.items() if value or key in ("file", "kind")}


_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 255, 256, 4095, 4096, 65535, 65536)


def number(chance: Random, old: int, size: int, others: Sequence[int]) -> int:
    """A number to stand where ``old`` does: near it, another record's, small, or on a boundary."""
    bits = 8 * size
    return chance.choice(
        [
            old + chance.choice([-1, 1]),
            old + chance.choice([-8, -4, -2, 2, 4, 8, 64]),
            old ^ (1 << chance.randrange(bits)),
            chance.choice(others),
            chance.choice(others),
            chance.choice(_NUMBERS),
            chance.choice(_NUMBERS),
            old * 2,
            -1,
            (1 << (bits - 1)) - chance.randrange(2),
            chance.randrange(1 << bits),
            chance.randrange(1, 1 << min(bits, 22)),
        ]
    )
