"""What is wrong with a symbol of an object, in words.

The kernel `records.faults` finds it, for all symbols at once and by number; here the few that are
told about are looked into again, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.types import I64, Ints, Structs
from linkpipe.errors import BadRow, InputError
from linkpipe.formats import goobj
from linkpipe.kernels import records
from linkpipe.tables.symbolcolumns import ABI0, ABI_INTERNAL, Flag

if TYPE_CHECKING:
    from linkpipe.tables.objects import Objects
    from linkpipe.tables.symbols import Symbols

_DAMAGED = "rebuild the package; the file is damaged"
_OTHERS = "rebuild the package and what it imports with one Go version"
_INDEXES = {
    records.RELOCS: goobj.RELOCIDX,
    records.AUXS: goobj.AUXIDX,
    records.DATA: goobj.DATAIDX,
}
_REFERENCES = {
    records.RELOC: (goobj.RELOCIDX, goobj.RELOC, goobj.RELOC_RECORD),
    records.AUX: (goobj.AUXIDX, goobj.AUX, goobj.AUX_RECORD),
}


def symbol_name(objects: Objects, obj: int, local: int) -> str:
    """The name that an object gives its symbol, or its number where it has none."""
    at = int(objects.blocks[obj, goobj.SYMDEF]) + goobj.SYM.itemsize * local
    size, start = objects.arena.u32_at(at), int(objects.base[obj]) + objects.arena.u32_at(at + 4)
    text = b"" if start + size > objects.end[obj] else objects.arena.view(start, size).tobytes()
    return text.decode("utf-8", "replace") or f"symbol {local}"


def file_of(name: str, symbols: Symbols, objects: Objects, hosts: Mapping[int, str]) -> str:
    """The file that defines the symbol of a name, or else the first that refers to it; "" when
    there is none: the linker made it. ``hosts`` are C objects by the symbols of their sections; a
    common symbol of theirs is of none."""
    found = [symbols.lookup(name, version) for version in (ABI0, ABI_INTERNAL)]
    if not any(found):  # static to its object, or found by its content
        every = symbols.names(np.arange(symbols.made))
        found = [sym for sym, other in enumerate(every) if other == name.encode()]
    of_c = [sym for sym in found if symbols.flags[sym] & Flag.OF_C]
    if of_c:
        return hosts.get(int(symbols.container[of_c[0]]) or of_c[0], "")
    return file_with([sym for sym in found if sym], symbols, objects)


def file_with(ids: Sequence[int], symbols: Symbols, objects: Objects) -> str:
    """The first file that defines one of these symbols, or else that refers to one; "" when there
    is none."""
    home = [int(symbols.object[sym]) for sym in ids if symbols.object[sym]]
    if ids and not home:
        places = np.flatnonzero(np.isin(objects.local_to_id, ids))
        home = (np.searchsorted(objects.local_base, places[:1], side="right") - 1).tolist()
    return objects.names[home[0]] if home else ""


def fault(objects: Objects, obj: int, local: int, code: int) -> InputError:
    """The error about symbol ``local`` of object ``obj``; ``code`` is the kernel's number."""
    arena, file = objects.arena, objects.names[obj]
    record = int(objects.blocks[obj, goobj.SYMDEF]) + goobj.SYM.itemsize * local

    def offset(at: int) -> int:
        return at - int(objects.start[obj])

    if code == records.NAME:
        return InputError(
            f"corrupt object file: the name of symbol {local} lies outside of the object",
            file=file,
            offset=offset(record),
            remedy=_DAMAGED,
        )
    name = symbol_name(objects, obj, local)
    if code == records.ABI:
        abi = arena.u32_at(record + 8) & 0xFFFF
        return InputError(
            f"invalid symbol ABI: {abi}",
            file=file,
            offset=offset(record),
            expected="0 (ABI0), 1 (ABIInternal) or 65535 (static)",
            found=f"{abi}, for {name}",
            status=1,
            remedy=_DAMAGED,
        )
    if code == records.ALIGN:
        return InputError(
            "bad alignment value",
            symbol=name,
            file=file,
            offset=offset(record),
            expected="a power of two",
            found=str(arena.u32_at(record + 17)),
            remedy=_DAMAGED,
        )
    if code == records.SIZE:
        return InputError(
            f"symbol too large ({arena.u32_at(record + 13)} bytes)",
            symbol=name,
            file=file,
            offset=offset(record),
            expected=f"at most {records.LARGEST} bytes",
            remedy="make it smaller; if it is not that large, the file is damaged",
        )
    if code in _INDEXES:
        block = _INDEXES[code]
        return InputError(
            f"corrupt object file: its entry in block {goobj.BLOCK_NAMES[block]} points outside "
            "of what it is about",
            symbol=name,
            file=file,
            offset=offset(int(objects.blocks[obj, block]) + 4 * local),
            remedy=_DAMAGED,
        )
    if code == records.TABLE:
        return InputError(
            "a table about a function belongs to what is none",
            symbol=name,
            file=file,
            offset=offset(int(objects.blocks[obj, goobj.AUXIDX]) + 4 * local),
            remedy=_DAMAGED,
        )
    if code == records.BUILTIN:
        relocs = reloc_records(objects, obj, local)
        builtins = relocs["sym"][relocs["pkg"] == np.uint32(goobj.PKG_BUILTIN)]
        first = builtins[objects.builtins[builtins] == 0]
        if len(first):
            return undefined_builtin(objects, obj, int(first[0]), name)
        return InputError(
            "corrupt object file: code or data refers to debug information",
            symbol=name,
            file=file,
            remedy=_DAMAGED,
        )
    at, pkg, sym = _reference(objects, obj, local, *_REFERENCES[code])
    return InputError(
        f"corrupt object file: reference to symbol {sym} of package index {pkg}, which does "
        "not exist",
        symbol=name,
        file=file,
        offset=offset(at),
        remedy=_OTHERS,
    )


@contextmanager
def rows_of(objects: Objects, symbols: Symbols, ids: Ints) -> Iterator[None]:
    """What is read in the block is a row for each of the symbols ``ids``; a BadRow becomes an error
    that names its own."""
    try:
        yield
    except BadRow as e:
        sym = int(ids[e.row])
        raise InputError(
            str(e),
            symbol=symbols.name(sym) or f"sym {sym}",
            file=objects.names[int(symbols.object[sym])],
            expected=e.expected,
            found=e.found,
            status=2,
            remedy=_DAMAGED,
        ) from e


def undefined_builtin(objects: Objects, obj: int, builtin: int, owner: str = "") -> InputError:
    """The error about a reference, perhaps in the symbol ``owner``."""
    return InputError(
        f'reference to undefined builtin "{objects.format.builtins[builtin]}"',
        file=objects.names[obj],
        found=owner and f"the reference in {owner}",
        status=1,
        remedy="rebuild the package and the runtime with the same flags (-race and the like)",
    )


def reloc_records(objects: Objects, obj: int, local: int) -> Structs:
    """A symbol's relocations as they stand in its object (goobj.RELOC_RECORD)."""
    return _records(objects, obj, local, *_REFERENCES[records.RELOC])[1]


def _reference(
    objects: Objects, obj: int, local: int, index: int, block: int, dtype: np.dtype[np.void]
) -> tuple[int, int, int]:
    """Where a symbol's first record stands that refers to nothing, and its reference."""
    at, record = _records(objects, obj, local, index, block, dtype)
    pkg, sym = record["pkg"], record["sym"]
    row = int(np.flatnonzero(~objects.references.has(np.full(len(at), obj), pkg, sym))[0])
    return int(at[row]), int(pkg[row]), int(sym[row])


def _records(
    objects: Objects, obj: int, local: int, index: int, block: int, dtype: np.dtype[np.void]
) -> tuple[I64, Structs]:
    """Where a symbol's records stand, and they themselves."""
    arena = objects.arena
    entry = int(objects.blocks[obj, index]) + 4 * local
    rows = np.arange(arena.u32_at(entry), arena.u32_at(entry + 4))
    at = int(objects.blocks[obj, block]) + dtype.itemsize * rows
    return at, arena.records(at, dtype)
