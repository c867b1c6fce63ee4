"""What -X gave variables, read off a binary without symbols.

A variable that -X sets moves from the zeroed data to the other, and its text, of any length, to the
read-only data, which lies before both. So what the zeroed data is smaller by says about how many
moved. With the same ones moved in a link of the same program, all variables lie where they lie in
the binary, and what it has there are their values. Which ones those are is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice

import numpy as np

from linkpipe.ask.modules import Modules
from linkpipe.ask.unused_x import string_variables
from linkpipe.engine.context import Link
from linkpipe.formats.elf import SHF_ALLOC, SHF_WRITE, SectionType
from linkpipe.formats.elfread import Elf
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.tables.symbols import Flag

_TRIED = 16
"""Links at most."""
_ALIGNED = 64
"""Bytes that the zeroed data may be smaller or larger because of where it has to begin and end."""
_LONGEST = 1 << 16
"""Bytes of a value at most."""

Linker = Callable[[Sequence[str]], tuple[Link, Elf]]
"""Links the program with more flags."""


def stamps(binary: Elf, output: Elf, link: Link, again: Linker) -> Iterator[tuple[str, ...]]:
    """Flags -X that may explain that ``binary`` is not ``output``, which ``link`` wrote: what it
    has where the user's own string variables lie."""
    variables = _variables(link)
    fewer = _zeroed(output) - _zeroed(binary)
    empty = [name for name, sym in variables.items() if _is_zeroed(output, link, sym)]
    near = [
        number
        for number in range(len(empty) + 1)
        if abs(number * 2 * link.arch.ptrsize - fewer) < _ALIGNED
    ]
    ways = (chosen for number in near for chosen in combinations(empty, number))
    more = _read_only(binary) - _read_only(output)
    for chosen in islice(ways, _TRIED):
        # Texts that are as long in all move what follows by as much.
        length = max(more - len(chosen) + 1, 1)
        like = [f"{name}={'x' * (1 if at else length)}" for at, name in enumerate(chosen)]
        one, laid_out = again(_flags(like)) if like else (link, output)
        if _places(laid_out) != _places(binary):
            continue
        found = []
        for name, sym in _variables(one).items():
            value, ours = (_value(file, one, sym) for file in (binary, laid_out))
            if value is not None and value != ours:
                found.append(f"{name}={value}")
        if found:
            yield _flags(found)


def _flags(definitions: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for each in definitions for word in ("-X", each))


def _variables(link: Link) -> dict[str, int]:
    """The string variables in the output of packages of the user's own: name -> symbol."""
    modules, symbols = Modules(link), link.graph.symbols
    found = {}
    for package in filter(modules.is_own, modules.packages):
        for name in string_variables(modules, package):
            sym = symbols.lookup(f"{path_to_prefix(package)}.{name}")
            if sym and symbols.has(sym, Flag.REACHABLE):
                found[f"{package}.{name}"] = sym
    return found


def _is_zeroed(file: Elf, link: Link, sym: int) -> bool:
    section = _section(file, int(link.symbols.value[sym]))
    return section is not None and file.sections["type"][section] == SectionType.NOBITS


def _zeroed(file: Elf) -> int:
    """The bytes of zeroed data with pointers."""
    section = file.index(".bss")
    return 0 if section is None else int(file.sections["size"][section])


def _read_only(file: Elf) -> int:
    section = file.index(".rodata")
    return 0 if section is None else int(file.sections["size"][section])


def _places(file: Elf) -> list[tuple[int, int]]:
    """Where data that can be written lies: the address and size of each section."""
    flags = file.sections["flags"]
    rows = np.flatnonzero((flags & SHF_ALLOC != 0) & (flags & SHF_WRITE != 0))
    return [(int(file.sections["addr"][i]), int(file.sections["size"][i])) for i in rows]


def _section(file: Elf, address: int) -> int | None:
    start = file.sections["addr"].astype(np.uint64)
    inside = (file.sections["flags"] & SHF_ALLOC != 0) & (start <= address)
    inside &= address < start + file.sections["size"]
    rows = np.flatnonzero(inside)
    return int(rows[0]) if len(rows) else None


def _bytes(file: Elf, address: int, size: int) -> bytes | None:
    """What a file has at an address; None where it has nothing there."""
    section = _section(file, address)
    if section is None or file.sections["type"][section] == SectionType.NOBITS:
        return None
    start = address - int(file.sections["addr"][section])
    found = file.content(section)[start : start + size].tobytes()
    return found if len(found) == size else None


def _value(file: Elf, link: Link, sym: int) -> str | None:
    """The text of a string variable in a file that is laid out as ``link``; None for none."""
    word = link.arch.ptrsize
    header = _bytes(file, int(link.symbols.value[sym]), 2 * word)
    if header is None:
        return None
    order = link.arch.byteorder
    start, size = (int.from_bytes(header[at : at + word], order) for at in (0, word))
    text = _bytes(file, start, size) if 0 < size <= _LONGEST else None
    try:
        return None if text is None else text.decode()
    except UnicodeDecodeError:
        return None
