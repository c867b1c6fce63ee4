"""Import paths as they stand in symbol names."""

from __future__ import annotations

from functools import cache


@cache
def path_to_prefix(path: str) -> str:
    """An import path as it stands in symbol names: dots of the last element, blanks,
    quotes, percent signs and bytes beyond ASCII are escaped as %xx
    (cmd/internal/objabi/path.go, PathToPrefix)."""
    slash = path.rfind("/")
    plain = path.isascii() and path.isprintable() and not any(c in path for c in ' %"')
    if plain and path.find(".", slash + 1) < 0:
        return path  # most are
    out = []
    for i, c in enumerate(path.encode("utf-8", "surrogateescape")):
        if c <= 0x20 or (c == 0x2E and i > slash) or c in b'%"' or c >= 0x7F:
            out.append(f"%{c:02x}")
        else:
            out.append(chr(c))
    return "".join(out)
