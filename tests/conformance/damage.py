"""Damaged copies of link inputs, for the tests of bad input."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np

from linkpipe.formats import goobj
from linkpipe.formats.goobj import MAGIC
from tests.conformance.programs import Inputs


def copy(inputs: Inputs, folder: Path) -> Inputs:
    """The inputs under another folder: archives as hard links, importcfg rewritten."""
    folder.mkdir(parents=True)
    shutil.copytree(inputs.folder / "pkg", folder / "pkg", copy_function=os.link)
    config = inputs.importcfg.read_text().replace(str(inputs.folder), str(folder))
    (folder / "importcfg").write_text(config)
    argv = tuple(arg.replace(str(inputs.folder), str(folder)) for arg in inputs.argv)
    return attrs.evolve(inputs, folder=folder, argv=argv)


def rewrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's bytes; the file it was hard-linked to keeps its own."""
    data = change(file.read_bytes())
    file.unlink()
    file.write_bytes(data)


def patched(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace the first occurrence, which there must be, by as many bytes."""
    assert len(old) == len(new)

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def with_member(name: str, content: bytes) -> Callable[[bytes], bytes]:
    """Append a member to an archive. (ar itself writes into files that are hard-linked.)"""
    header = f"{name:16}{0:<12}{0:<6}{0:<6}{0o644:<8o}{len(content):<10}`\n".encode()
    return lambda data: data + header + content + b"\0" * (len(content) % 2)


def without(inputs: Inputs, package: str) -> None:
    """Take a package out of the importcfg."""
    lines = inputs.importcfg.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"packagefile {package}=")]
    assert len(kept) == len(lines) - 1
    inputs.importcfg.write_text("".join(kept))


def object_at(data: bytes) -> int:
    """Where the Go object's header starts in an archive."""
    return data.index(MAGIC)


def other_fingerprint(data: bytes) -> bytes:
    """Change the fingerprint that stands after the object's magic."""
    at = object_at(data) + len(MAGIC)
    return data[:at] + bytes(8 * [0xA5]) + data[at + 8 :]


class Editor:
    """The Go object in an archive, to change single fields of; ``data`` is the archive."""

    def __init__(self, archive: bytes) -> None:
        self.data = bytearray(archive)
        self.at = object_at(archive)
        self.header = goobj.read_header(memoryview(archive)[self.at :], "")
        blocks = (goobj.SYMDEF, goobj.HASHED64DEF, goobj.HASHEDDEF, goobj.NONPKGDEF)
        self.classes = [int(goobj.count(np.array(self.header.offsets), block)) for block in blocks]

    def block(self, block: int) -> int:
        """Where a block begins."""
        return self.at + self.header.offsets[block]

    def word(self, at: int) -> int:
        """Four bytes."""
        return int.from_bytes(self.data[at : at + 4], "little")

    def put(self, at: int, value: int, size: int = 4) -> None:
        """Change a field of so many bytes."""
        self.data[at : at + size] = value.to_bytes(size, "little")

    def record(self, symbol: int) -> int:
        """Where a symbol's record stands."""
        return self.block(goobj.SYMDEF) + goobj.SYM.itemsize * symbol

    def find(self, name: str) -> int:
        """The first definition of that name."""
        for symbol in range(sum(self.classes)):
            size, at = self.word(self.record(symbol)), self.word(self.record(symbol) + 4)
            if self.data[self.at + at : self.at + at + size] == name.encode():
                return symbol
        raise LookupError(name)

    def relocs(self, symbol: int) -> list[int]:
        """Where the symbol's relocations stand."""
        return self._rows(symbol, goobj.RELOCIDX, goobj.RELOC, goobj.RELOC_RECORD.itemsize)

    def auxs(self, symbol: int, kind: int) -> list[int]:
        """Its auxiliary symbols of a kind, those that are the object's own."""
        first = {goobj.PKG_SELF: 0, goobj.PKG_HASHED64: 1, goobj.PKG_HASHED: 2, goobj.PKG_NONE: 3}
        return [
            sum(self.classes[: first[self.word(at + 1)]]) + self.word(at + 5)
            for at in self._rows(symbol, goobj.AUXIDX, goobj.AUX, goobj.AUX_RECORD.itemsize)
            if self.data[at] == kind and self.word(at + 1) in first
        ]

    def _rows(self, symbol: int, index: int, block: int, size: int) -> list[int]:
        entry = self.block(index) + 4 * symbol
        rows = range(self.word(entry), self.word(entry + 4))
        return [self.block(block) + size * row for row in rows]
