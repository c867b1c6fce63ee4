"""Types, interface tables and strings of a program."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from linkpipe.api import Link, read_itabs, read_strings, read_types, with_type_strings
from linkpipe.gotypes.layout import Kind
from linkpipe.gotypes.walk import GoTypes


def types_of(link: Link) -> GoTypes:
    return read_types(link.symbols, link.relocs, link.objects, link.arch)


def test_types_and_their_methods(linked: Callable[..., Link]) -> None:
    """A method that is kept has its functions, one that is not has none."""
    link = linked(until="reachability")
    types, symbols = types_of(link), link.symbols
    row = types.symbols.tolist().index(symbols.lookup("type:*os.File"))
    assert types.strings[row] == b"*os.File"
    assert (types.kinds[row], types.sizes[row]) == (Kind.POINTER, link.arch.ptrsize)
    first = int(types.nmethods[:row].sum())
    mine = range(first, first + int(types.nmethods[row]))
    names = [types.methods[i] for i in mine]
    assert names == sorted(names, key=lambda name: (name[:1].islower(), name))
    kept = {types.methods[i]: symbols.name(int(types.functions[i])) for i in mine}
    assert kept[b"Write"] == "os.(*File).Write"
    assert kept[b"Chdir"] == ""
    write = names.index(b"Write") + first
    assert symbols.name(int(types.direct[write])) == "os.(*File).Write"
    assert symbols.name(int(types.method_types[write])) == "type:func([]uint8) (int, error)"
    assert len(types.methods) == types.nmethods.sum() == len(types.functions)


def test_interface_tables(linked: Callable[..., Link]) -> None:
    link = linked(until="reachability")
    itabs, name = read_itabs(link.symbols, link.relocs, link.arch), link.symbols.name
    row = link.symbols.names(itabs.symbols).index(b"go:itab.*os.File,io.Writer")
    assert name(int(itabs.interfaces[row])) == "type:io.Writer"
    assert name(int(itabs.types[row])) == "type:*os.File"
    at = int(itabs.nmethods[:row].sum())
    assert itabs.nmethods[row] == 1
    assert name(int(itabs.functions[at])) == "os.(*File).Write"
    assert len(itabs.functions) == itabs.nmethods.sum()


def test_strings(linked: Callable[..., Link]) -> None:
    link = linked(until="reachability")
    strings = read_strings(link.symbols)
    row = strings.texts.index(b"hello, linker")
    assert link.symbols.name(int(strings.symbols[row])).startswith("go:string.")


def test_types_with_other_strings(linked: Callable[..., Link]) -> None:
    """Of any length; types whose strings stay refer to what they did."""
    link = linked(until="reachability")
    types = types_of(link)
    strings = [text.replace(b"os.File", b"longer.than.it.was") for text in types.strings]
    symbols, relocs = with_type_strings(
        link.symbols, link.relocs, link.objects, link.arch, types, strings
    )
    changed = link.evolve(symbols=symbols, relocs=relocs)
    assert list(types_of(changed).strings) == strings
    assert b"*longer.than.it.was" in strings
    gone = np.setdiff1d(link.symbols.reachable(), symbols.reachable())
    assert b"os.File" in b" ".join(link.symbols.names(gone))
    assert not np.isin(gone, relocs.target[relocs.rows_of_many(symbols.reachable())[0]]).any()
    moved = np.flatnonzero(relocs.target != link.relocs.target)
    assert len(moved) == sum(a != b for a, b in zip(types.strings, strings, strict=True))
    with pytest.raises(ValueError, match=f"there are {len(strings)} types, not 0"):
        with_type_strings(link.symbols, link.relocs, link.objects, link.arch, types, [])
