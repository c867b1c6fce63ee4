"""Go object files from plain descriptions, for tests that need odd ones.

Format: cmd/internal/goobj/objfile.go. A reference is (package index, symbol index).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

import attrs

from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.flags.environ import capture
from linkpipe.flags.options import Options
from linkpipe.formats import goobj
from linkpipe.packages.headers import Header
from linkpipe.testing.links import architecture


@attrs.frozen
class Reloc:
    """One relocation record."""

    offset: int
    size: int
    type: int
    ref: tuple[int, int]
    add: int = 0


@attrs.frozen
class Sym:
    """One symbol record; ``type`` and the flags as objects number them."""

    name: str = ""
    abi: int = 0
    type: int = 3
    flag: int = 0
    flag2: int = 0
    size: int = 0
    align: int = 0
    data: bytes = b""
    relocs: tuple[Reloc, ...] = ()
    auxs: tuple[tuple[int, tuple[int, int]], ...] = ()
    hash: bytes = b""


@attrs.frozen
class Obj:
    """One object: symbols by class, in order."""

    package: str = "p"
    imports: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    defs: tuple[Sym, ...] = ()
    hashed64: tuple[Sym, ...] = ()
    hashed: tuple[Sym, ...] = ()
    nonpkg: tuple[Sym, ...] = ()
    refs: tuple[Sym, ...] = ()
    refflags: tuple[tuple[tuple[int, int], int, int], ...] = ()
    flags: int = 0
    fingerprint: bytes = bytes(8)


def write_object(obj: Obj) -> bytes:
    """The binary part of the object."""
    strings = bytearray()
    start = 8 + 8 + 4 + 4 * goobj.NBLOCKS

    def string(text: str) -> bytes:
        raw = text.encode("utf-8", "surrogateescape")
        at = start + len(strings)
        strings.extend(raw)
        return struct.pack("<II", len(raw), at)

    def sym(s: Sym) -> bytes:
        return string(s.name) + struct.pack(
            "<HBBBII", s.abi, s.type, s.flag, s.flag2, s.size, s.align
        )

    defined = (*obj.defs, *obj.hashed64, *obj.hashed, *obj.nonpkg)

    def index(sizes: Sequence[int]) -> bytes:
        ends = [0]
        for size in sizes:
            ends.append(ends[-1] + size)
        return struct.pack(f"<{len(ends)}I", *ends)

    blocks = [
        b"".join(string(path) + bytes(8) for path in obj.imports),
        b"".join(map(string, ("", *obj.packages))),
        b"".join(map(string, obj.files)),
        b"".join(map(sym, obj.defs)),
        b"".join(map(sym, obj.hashed64)),
        b"".join(map(sym, obj.hashed)),
        b"".join(map(sym, obj.nonpkg)),
        b"".join(map(sym, obj.refs)),
        b"".join(struct.pack("<IIBB", *ref, a, b) for ref, a, b in obj.refflags),
        b"".join(s.hash[:8].ljust(8, b"\0") for s in obj.hashed64),
        b"".join(s.hash.ljust(16, b"\0") for s in obj.hashed),
        index([len(s.relocs) for s in defined]),
        index([len(s.auxs) for s in defined]),
        index([len(s.data) for s in defined]),
        b"".join(
            struct.pack("<iBHqII", r.offset, r.size, r.type, r.add, *r.ref)
            for s in defined
            for r in s.relocs
        ),
        b"".join(struct.pack("<BII", kind, *ref) for s in defined for kind, ref in s.auxs),
        b"".join(s.data for s in defined),
        b"",
    ]
    at = start + len(strings)
    offsets = []
    for block in blocks:
        offsets.append(at)
        at += len(block)
    offsets.append(at)
    head = goobj.MAGIC + obj.fingerprint + struct.pack(f"<I{goobj.NBLOCKS}I", obj.flags, *offsets)
    return head + bytes(strings) + b"".join(blocks)


def object_header(goarch: str = "") -> str:
    """The line that an object of the go command on PATH begins with, for an architecture, this
    machine's when empty: "go object linux …"."""
    options = Options(environment=capture(os.environ))
    release = release_of(Catalog(), options.environment.version)
    return Header.of(options, architecture(goarch), release).expected("")


def write_archive(path: Path, *objects: Obj, main: bool = False, header: str = "") -> str:
    """Write an archive of these objects; its path. ``header`` is the line that each begins with,
    ``object_header()`` when empty."""
    header = header or object_header()
    out = bytearray(b"!<arch>\n")
    for obj in objects:
        text = header + "\n" + ("main\n" if main else "") + "\n\n!\n"
        body = text.encode() + write_object(obj)
        out += f"{'_go_.o':<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(body):<10}`\n".encode()
        out += body + b"\n" * (len(body) & 1)
    path.write_bytes(bytes(out))
    return str(path)
