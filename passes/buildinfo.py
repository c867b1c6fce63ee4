"""buildinfo: the record that `go version` reads from a binary.

A 32-byte header (a magic that is no valid UTF-8 so that it is not found by accident, the pointer
size, and flags: bit 0 big-endian, bit 1 "strings follow in place"), then the Go version and the
module information, each after its length as LEB128, padded to sixteen bytes.

The values are those of runtime.buildVersion and runtime.modinfo whether or not the program keeps
these variables. Beside the record goes a reference from read-only data, so that a host linker
that drops unreferenced sections keeps it.

Source: cmd/link/internal/ld/data.go:2621 (buildinfo), debug/buildinfo.
Reads `symbols`, `relocs`, `packages`; provides `symbols`, `relocs`.
"""

from __future__ import annotations

from linkpipe.arrays.align import padded
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.leb128 import uleb
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

_MAGIC = b"\xff Go buildinf:"
_ALIGN = 16
_BIG_ENDIAN, _STRINGS_IN_PLACE = 1, 2


@linkpass(requires=("symbols", "relocs", "packages"), provides=("symbols", "relocs"))
def buildinfo(link: Link) -> Link:
    """Record the Go version and the modules."""
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    ptrsize = link.arch.ptrsize
    info = symbols.own("go:buildinfo")
    symbols.set_content(
        info,
        record(_version(link), _modinfo(link), ptrsize, link.arch.byteorder == "big"),
    )
    symbols.set(info, kind=SymKind.SBUILDINFO, align=_ALIGN)
    reference = symbols.own("go:buildinfo.ref")
    # Where a shared library has one too, the oracle appends to that one's room.
    before = int(symbols.size[reference])
    symbols.set_content(reference, bytes(before + ptrsize))
    symbols.set(reference, kind=SymKind.SRODATA, align=ptrsize)
    symbols.add_flags([info, reference], Flag.REACHABLE)
    relocs.add(reference, offset=before, size=ptrsize, type=R_ADDR, target=info)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())


def record(version: bytes, modinfo: bytes, ptrsize: int, big_endian: bool) -> bytes:
    """The content of go:buildinfo."""
    flags = _STRINGS_IN_PLACE | (_BIG_ENDIAN if big_endian else 0)
    head = (_MAGIC + bytes((ptrsize, flags))).ljust(32, b"\0")
    return padded(head + _counted(version) + _counted(modinfo), _ALIGN)


def _counted(text: bytes) -> bytes:
    """The bytes after their number."""
    return uleb(len(text)) + text


def _version(link: Link) -> bytes:
    given = _defined(link, "runtime.buildVersion")
    if given is not None:
        return given
    environment = link.options.environment
    version = link.release.build_version(environment.go_version, environment.goexperiment)
    return version.encode("utf-8", "surrogateescape")


def _modinfo(link: Link) -> bytes:
    given = _defined(link, "runtime.modinfo")
    return (link.packages.modinfo or b"") if given is None else given


def _defined(link: Link, name: str) -> bytes | None:
    """The value that -X gives a variable: the last one counts."""
    prefix = name + "="
    values = [text for text in link.options.X if text.startswith(prefix)]
    if not values:
        return None
    return values[-1].removeprefix(prefix).encode("utf-8", "surrogateescape")
