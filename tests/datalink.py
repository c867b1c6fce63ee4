"""Links of hand-made data symbols, ready for layout, and type descriptors for them (8 bytes,
little-endian)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.gotypes.layout import Kind
from linkpipe.passes.addresses import addresses
from linkpipe.passes.datalayout import datalayout
from linkpipe.passes.gcdata import gcdata
from linkpipe.passes.relro import relro
from linkpipe.passes.symtab import symtab
from linkpipe.passes.typeorder import typeorder
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved
from tests.tiny import INTERNAL

# Numbers of kinds in object files (cmd/internal/objabi/symkind.go).
TEXT, RODATA, NOPTRDATA, DATA, BSS, NOPTRBSS = 1, 3, 5, 7, 9, 10

FIELDS = {"typedesclen": 0, "itaboffset": 8, "itabsize": 16}


def data_link(
    folder: Path,
    syms: Sequence[Sym],
    *,
    mode: Mode = INTERNAL,
    dead: frozenset[str] = frozenset(),
    **flags: Any,
) -> Link:
    """Everything but ``dead`` is reachable; a module data symbol and an empty .text are there."""
    link = resolved(folder, [Obj("p", defs=tuple(syms))], mode=mode, **flags)
    edit = link.symbols.edit()
    live = [i for i in range(1, len(link.symbols)) if link.symbols.name(i) not in dead]
    edit.add_flags(live, Flag.REACHABLE)
    moduledata = edit.lookup_or_create("runtime.firstmoduledata")
    edit.set_content(moduledata, bytes(32))
    edit.set(moduledata, kind=SymKind.SMODULEDATA)
    edit.add_flags(moduledata, Flag.REACHABLE)
    symbols = edit.freeze()
    ids = np.array(live, np.int64)
    columns = link.objects.relocs(symbols.object[ids], symbols.local[ids])
    start = 0 if mode.external else link.arch.text_base
    text = Section(".text", "text", 0o5, frozen(np.zeros(0, np.int32)), 32, start, 100)
    return link.evolve(
        symbols=symbols,
        relocs=Relocs.gather(len(symbols), ids, columns),
        moduledata=moduledata,
        moduledata_fields=FIELDS,
        sections=Sections((text,), ()),
    )


def lay_out(link: Link, *, upto: str = "addresses") -> Link:
    """Run the passes of data layout, up to one of them."""
    for step in (symtab, relro, typeorder, datalayout, gcdata, addresses):
        link = step(link)
        if step.name == upto:
            break
    return link


def names_in(link: Link, section: str) -> list[str]:
    """The symbols of a section by address."""
    row = link.sections.find(section)
    return [link.symbols.name(sym) for sym in link.sections[row].symbols.tolist()]


def ref(index: int) -> tuple[int, int]:
    """A reference to a symbol of the same object."""
    return goobj.PKG_SELF, index


def word(value: int) -> bytes:
    return value.to_bytes(8, "little")


def descriptor(
    name: str,
    kind: Kind,
    *,
    size: int = 8,
    ptrdata: int = 0,
    tail: bytes = b"",
    tflag: int = 0,
    flag: int = 0,
    refs: Sequence[tuple[int, int]] = (),
) -> Sym:
    """A type descriptor; ``refs`` are (offset, symbol index)."""
    data = word(size) + word(ptrdata) + bytes(4) + bytes([tflag, 8, 8, kind]) + bytes(24) + tail
    rows = tuple(Reloc(offset, 8, R_ADDR, ref(target)) for offset, target in refs)
    return Sym(name=name, type=RODATA, size=len(data), data=data, relocs=rows, flag=flag, align=8)
