"""An archive, taken apart far enough to change it where something stands.

The places of a Go object are named by what a linker reads there: records of blocks, and the content
of symbols by what it means (function information, line tables, type descriptors, debug
information …), which the auxiliary records and names of symbols tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

import attrs
import numpy as np

from linkpipe.arrays.types import Structs
from linkpipe.formats import goobj
from linkpipe.formats.archive import members, read_preamble
from linkpipe.symkind import SymKind
from linkpipe.testing.links import object_format

WORD = np.dtype([("value", "<u4")])
HASH64 = np.dtype([("value", "<u8")])
HASH = np.dtype([("low", "<u8"), ("high", "<u8")])
BLOCKS: Mapping[str, tuple[int, np.dtype[np.void]]] = {
    "Autolib": (
        goobj.AUTOLIB,
        np.dtype([("size", "<u4"), ("at", "<u4"), ("fingerprint", "<u8")]),
    ),
    "PkgIndex": (goobj.PKGIDX, goobj.STRING_RECORD),
    "Files": (goobj.FILE, goobj.STRING_RECORD),
    "SymbolDefs": (goobj.SYMDEF, goobj.SYM),
    "Hashed64Defs": (goobj.HASHED64DEF, goobj.SYM),
    "HashedDefs": (goobj.HASHEDDEF, goobj.SYM),
    "NonPkgDefs": (goobj.NONPKGDEF, goobj.SYM),
    "NonPkgRefs": (goobj.NONPKGREF, goobj.SYM),
    "RefFlags": (goobj.REFFLAGS, goobj.REFFLAGS_RECORD),
    "Hash64": (goobj.HASH64, HASH64),
    "Hash": (goobj.HASH, HASH),
    "RelocIndex": (goobj.RELOCIDX, WORD),
    "AuxIndex": (goobj.AUXIDX, WORD),
    "DataIndex": (goobj.DATAIDX, WORD),
    "Relocs": (goobj.RELOC, goobj.RELOC_RECORD),
    "Aux": (goobj.AUX, goobj.AUX_RECORD),
}
HEADER = np.dtype(
    [
        ("magic", "<u8"),
        ("fingerprint", "<u8"),
        ("flags", "<u4"),
        *((name, "<u4") for name in goobj.BLOCK_NAMES),
    ]
)
# What belongs to a symbol: the block, and the index that says which part of it.
OWNED = {"Relocs": "RelocIndex", "Aux": "AuxIndex", "Data": "DataIndex"}
_CLASSES = ("SymbolDefs", "Hashed64Defs", "HashedDefs", "NonPkgDefs", "NonPkgRefs")
# What a symbol's content is when an auxiliary record of this kind names it.
_BY_AUX = (
    "gotype funcinfo funcdata dwarf-info dwarf-loc dwarf-ranges dwarf-lines pcsp pcfile pcline "
    "pcinline pcdata"
).split()
_BY_NAME = {
    "type:": "type",
    "go:itab.": "itab",
    "go:string.": "string",
    "gclocals·": "funcdata",
    "runtime.gcbits.": "gcbits",
}
_INITTASK = "..inittask"
_MEMBER = 60  # bytes of a member's header, the size in ten of them from 48 on


@attrs.define(eq=False, slots=False)
class GoObject:
    """A Go object in an archive: its member starts at ``text``, its binary part at ``at``."""

    data: bytearray
    text: int
    at: int
    size: int

    @property
    def header(self) -> Structs:
        """The header, one row, to be written to."""
        return np.frombuffer(self.data, HEADER, 1, self.at)

    def table(self, block: str) -> Structs:
        """The records of a block, to be written to."""
        number, dtype = BLOCKS[block]
        begin, end = self.bounds(goobj.BLOCK_NAMES[number])
        return np.frombuffer(self.data, dtype, (end - begin) // dtype.itemsize, begin)

    def bounds(self, block: str) -> tuple[int, int]:
        """Where a block lies in the archive."""
        number = goobj.BLOCK_NAMES.index(block)
        header = self.header[0]
        names = goobj.BLOCK_NAMES[number : number + 2]
        begin, end = (self.at + int(header[name]) for name in names)
        return begin, end

    @cached_property
    def counts(self) -> list[int]:
        """Symbols of each class."""
        return [len(self.table(block)) for block in _CLASSES]

    @property
    def defined(self) -> int:
        """How many symbols have content, relocations, auxiliary records."""
        return sum(self.counts[:4])

    def where(self, local: int) -> tuple[str, int]:
        """The block and row of a symbol's record."""
        for block, count in zip(_CLASSES, self.counts, strict=True):
            if local < count:
                return block, local
            local -= count
        raise IndexError(local)

    @cached_property
    def names(self) -> list[str]:
        """The symbols' names, definitions and references."""
        out = []
        for block in _CLASSES:
            table = self.table(block)
            for at, size in zip(
                table["name_at"].tolist(), table["name_size"].tolist(), strict=True
            ):
                raw = bytes(self.data[self.at + at : self.at + at + size])
                out.append(raw.decode("utf-8", "surrogateescape"))
        return out

    def owned(self, block: str, local: int) -> tuple[int, int]:
        """The rows (bytes, for Data) of a definition in a block of OWNED."""
        index = self.table(OWNED[block])["value"]
        return int(index[local]), int(index[local + 1])

    def target(self, pkg: int, sym: int) -> int | None:
        """The local index that a reference means, None for one to another object."""
        first = np.cumsum([0, *self.counts]).tolist()
        special = (goobj.PKG_SELF, goobj.PKG_HASHED64, goobj.PKG_HASHED, goobj.PKG_NONE)
        return first[special.index(pkg)] + sym if pkg in special else None

    @cached_property
    def contents(self) -> list[str]:
        """What the content of each definition is."""
        kinds, known_kinds = [], object_format().kinds
        for local in range(self.defined):
            block, row = self.where(local)
            name = self.names[local]
            kind = int(known_kinds[self.table(block)["type"][row]])
            known = next((what for start, what in _BY_NAME.items() if name.startswith(start)), "")
            if known:
                kinds.append(known)
            elif name.endswith(_INITTASK):
                kinds.append("inittask")
            elif kind == SymKind.STEXT:
                kinds.append("code")
            elif kind >= SymKind.SDWARFSECT:
                kinds.append("dwarf-info")
            else:
                kinds.append("data")
        for kind, pkg, sym in self.table("Aux").tolist():
            found = self.target(pkg, sym)
            if kind and kind < len(_BY_AUX) and found is not None and found < self.defined:
                kinds[found] = _BY_AUX[kind]
        return kinds

    def helpers(self, locals_: Collection[int]) -> set[int]:
        """These symbols, and those that their auxiliary records name."""
        out = set(locals_)
        aux = self.table("Aux")
        for local in locals_:
            begin, end = self.owned("Aux", local)
            for _, pkg, sym in aux[begin:end].tolist():
                found = self.target(pkg, sym)
                if found is not None and found < self.defined:
                    out.add(found)
        return out

    def helped(self, local: int, kind: str) -> list[int]:
        """The symbols of this kind of content that a symbol's auxiliary records name, in order."""
        begin, end = self.owned("Aux", local)
        found = [self.target(pkg, sym) for _, pkg, sym in self.table("Aux")[begin:end].tolist()]
        known = [at for at in found if at is not None and at < self.defined]
        return [at for at in known if self.contents[at] == kind]

    def resize(self, block: str, local: int, row: int, by: int) -> None:
        """Double (``by`` > 0) or cut out so many of a definition's rows in a block of OWNED, from a
        row on, and keep indexes and header right."""
        unit = BLOCKS[block][1].itemsize if block in BLOCKS else 1
        begin, end = self.bounds(block)
        at = min(begin + row * unit, end)
        size = abs(by) * unit
        index = self.table(OWNED[block])["value"]
        index[local + 1 :] += np.uint32(by & 0xFFFFFFFF)
        header = self.header[0]
        for name in goobj.BLOCK_NAMES[goobj.BLOCK_NAMES.index(block) + 1 :]:
            header[name] = int(header[name]) + (size if by > 0 else -size)
        if by > 0:
            self.splice(at, at, bytes(self.data[at : at + size]).ljust(size, b"\0"))
        else:
            self.splice(at, at + size, b"")

    def splice(self, begin: int, end: int, new: bytes) -> None:
        """Put bytes in the place of others, and keep the member's header right. numpy's views hold
        the data of before."""
        size, stop = self.at + self.size - self.text, self.at + self.size
        head, old = self.text - _MEMBER, size & 1
        size += len(new) - (end - begin)
        self.size += len(new) - (end - begin)
        before = bytearray(self.data[:begin])
        before[head + 48 : head + 58] = b"%-10d" % size
        rest = bytes(self.data[end:stop]) + b"\0" * (size & 1) + bytes(self.data[stop + old :])
        self.data = before + new + rest


def objects(data: bytearray, file: str = "") -> list[GoObject]:
    """The Go objects of an archive, which is as the compiler wrote it."""
    view = memoryview(bytes(data))
    found = []
    for member in members(view, file):
        body = view[member.at : member.at + member.size]
        if bytes(body[:4]) == b"go o":
            at = member.at + read_preamble(body, file).size
            found.append(GoObject(data, member.at, at, member.at + member.size - at))
    return found
