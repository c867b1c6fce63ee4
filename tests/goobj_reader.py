"""Go objects read the slow, obvious way, by none of linkpipe's code: a second pair of eyes.

Source: cmd/internal/goobj/objfile.go, cmd/internal/archive/archive.go.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple

from tests.conformance.toolchain import goroot

BLOCKS = (
    "autolib pkgidx file symdef hashed64def hasheddef nonpkgdef nonpkgref refflags hash64 hash "
    "relocidx auxidx dataidx reloc aux data refname end"
).split()
NONE = 2**31 - 1
HASHED64, HASHED, BUILTIN, SELF = NONE - 1, NONE - 2, NONE - 3, NONE - 4
WEAK = 1 << 15


class Reloc(NamedTuple):
    offset: int
    type: int
    weak: bool
    target: str


class Definition(NamedTuple):
    name: str
    relocs: tuple[Reloc, ...]
    auxs: tuple[str, ...]


def builtins() -> list[str]:
    """The names of the runtime's functions that objects refer to by number."""
    text = (goroot() / "src/cmd/internal/goobj/builtinlist.go").read_text()
    return re.findall(r'^\t\{"([^"]+)", \d\},$', text, re.MULTILINE)


def members(archive: Path) -> list[bytes]:
    """The Go objects in an archive."""
    content = archive.read_bytes()
    assert content.startswith(b"!<arch>\n")
    at, found = 8, []
    while at < len(content):
        size = int(content[at + 48 : at + 58])
        body = content[at + 60 : at + 60 + size]
        head = body.find(b"\n!\n")
        if body.startswith(b"go object ") and head >= 0:
            found.append(body[head + 3 :])
        at += 60 + size + size % 2
    return found


class Object:
    """One object: its definitions in order."""

    def __init__(self, content: bytes) -> None:
        assert content[:8] == b"\0go120ld"
        self.content = content
        offsets = struct.unpack_from(f"<{len(BLOCKS)}I", content, 20)
        self.at = dict(zip(BLOCKS, offsets, strict=True))
        self.end = dict(zip(BLOCKS, offsets[1:], strict=False))
        self.names = {name: self._names(name) for name in BLOCKS[3:8]}
        self.refs = {}
        for at in range(self.at["refname"], self.end["refname"], 16):
            pkg, sym = struct.unpack_from("<II", content, at)
            self.refs[pkg, sym] = self._text(at + 8)
        self.builtins = builtins()

    def _text(self, at: int) -> str:
        size, start = struct.unpack_from("<II", self.content, at)
        return self.content[start : start + size].decode("utf-8", "surrogateescape")

    def _names(self, block: str) -> list[str]:
        return [self._text(at) for at in range(self.at[block], self.end[block], 21)]

    def name(self, pkg: int, sym: int) -> str:
        """The name behind a reference."""
        if pkg == SELF:
            return self.names["symdef"][sym]
        if pkg == HASHED64:
            return self.names["hashed64def"][sym]
        if pkg == HASHED:
            return self.names["hasheddef"][sym]
        if pkg == NONE:
            return (self.names["nonpkgdef"] + self.names["nonpkgref"])[sym]
        if pkg == BUILTIN:
            return self.builtins[sym]
        return self.refs.get((pkg, sym), "")

    def definitions(self) -> list[Definition]:
        """Every symbol that the object defines."""
        names = [name for block in BLOCKS[3:7] for name in self.names[block]]
        return [Definition(n, self._relocs(i), self._auxs(i)) for i, n in enumerate(names)]

    def _range(self, block: str, i: int) -> range:
        first, end = struct.unpack_from("<II", self.content, self.at[block] + 4 * i)
        return range(first, end)

    def _relocs(self, i: int) -> tuple[Reloc, ...]:
        found = []
        for row in self._range("relocidx", i):
            at = self.at["reloc"] + 23 * row
            offset, _, kind, _, pkg, sym = struct.unpack_from("<iBHqII", self.content, at)
            found.append(Reloc(offset, kind & ~WEAK, bool(kind & WEAK), self.name(pkg, sym)))
        return tuple(found)

    def _auxs(self, i: int) -> tuple[str, ...]:
        rows = (self.at["aux"] + 9 * row for row in self._range("auxidx", i))
        found = (struct.unpack_from("<BII", self.content, at) for at in rows)
        return tuple(self.name(pkg, sym) for _, pkg, sym in found)


def definitions(archive: Path) -> dict[str, list[Definition]]:
    """The definitions of an archive by name; a function may have one for each ABI."""
    found: dict[str, list[Definition]] = {}
    for content in members(archive):
        for each in Object(content).definitions():
            found.setdefault(each.name, []).append(each)
    return found
