"""Call frame information, written byte by byte."""

from __future__ import annotations

from typing import Any

from linkpipe.formats.leb128 import sleb

Function = tuple[list[tuple[int, int]], int, bool]
"""Its stretches (bytes, depth of the stack), bytes behind the last, whether it has no caller."""


def record_slowly(
    function: Function, register: bytes, ptrsize: int, below: int, big: bool
) -> bytes:
    """One record (cmd/link/internal/ld/dwarf.go, writeframes)."""
    stretches, rest, top = function
    length = sum(size for size, _ in stretches) + rest
    order: Any = "big" if big else "little"
    out = b"\x07" + register if register and top else b""
    at = 0
    for size, depth in stretches:
        delta = size - (at + size == length)
        factored = -(abs(depth + below) // 4) * (1 if depth + below >= 0 else -1)
        if register and not top:
            out += b"\x11" + register + sleb(-factored) if depth + below > 0 else b"\x08" + register
        out += b"\x13" + sleb(factored)
        if delta < 0x40:
            out += bytes((0x40 + delta,))
        else:
            width = 1 if delta < 0x100 else 2 if delta < 0x10000 else 4
            out += bytes((2 + width // 2,)) + delta.to_bytes(width, order)
        at += size
    out += bytes(-len(out) % ptrsize)
    head = (4 + 2 * ptrsize + len(out)).to_bytes(4, order) + bytes(4 + ptrsize)
    return head + length.to_bytes(ptrsize, order) + out
