"""Names of functions and files in the runtime's tables, read and replaced."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from linkpipe.api import Link, read_function_names, source_files, with_function_names
from linkpipe.functab.names import FunctionNames


def of(link: Link) -> FunctionNames:
    return read_function_names(link.symbols, link.pclntab, link.function_data, link.arch)


def test_names_are_those_of_the_symbols_and_files_those_of_the_compiler(
    linked: Callable[..., Link],
) -> None:
    link = linked(until="pclntab")
    found, ids = of(link), link.pclntab.functions
    assert [found.names[row] for row in found.function] == link.symbols.names(ids)
    assert b"main.main" in [found.names[row] for row in found.function]
    assert len(found.inlined) * 16 == len(link.function_data.inlined)
    told = [files[:1] for files in source_files(link, ids)]
    goroot = link.options.environment.goroot
    mine = [
        (found.files[row].decode().replace(goroot, "$GOROOT"),) if row >= 0 else ()
        for row in found.file
    ]
    assert mine == told


def test_names_as_they_are_change_nothing(linked: Callable[..., Link]) -> None:
    link = linked(until="pclntab")
    edit = link.symbols.edit()
    tables, data = with_function_names(edit, link.pclntab, link.function_data, of(link), link.arch)
    assert tables.nfiles == link.pclntab.nfiles
    assert np.array_equal(tables.functab_data.words, link.pclntab.functab_data.words)
    assert np.array_equal(data.inlined, link.function_data.inlined)
    for sym in (tables.funcnametab, tables.cutab, tables.filetab):
        assert bytes(edit.data(sym)) == bytes(link.symbols.data(sym))
        assert edit.size[sym] == link.symbols.size[sym]


def test_other_names_are_found_again_and_unused_ones_are_gone(linked: Callable[..., Link]) -> None:
    link = linked(until="pclntab")
    before = of(link)
    wanted = attrs.evolve(
        before,
        names=tuple(b"longer than it was: " + name for name in before.names),
        function=np.where(before.function == 9, 10, before.function),
        inlined=np.where(before.inlined == 9, 10, before.inlined),
        files=tuple(f"{row}".encode() for row in range(len(before.files))),
    )
    edit = link.symbols.edit()
    tables, data = with_function_names(edit, link.pclntab, link.function_data, wanted, link.arch)
    after = of(link.evolve(symbols=edit.freeze(), pclntab=tables, function_data=data))

    def told(names: FunctionNames) -> list[list[bytes]]:
        return [
            [names.names[row] for row in (*names.function, *names.inlined)],
            [names.files[row] if row >= 0 else b"" for row in (*names.listed, *names.file)],
        ]

    assert told(after) == told(wanted)
    assert len(after.names) == len(before.names) - 1
    assert wanted.names[9] not in after.names


def test_names_that_cannot_be_are_refused(linked: Callable[..., Link]) -> None:
    """And so is a place too late, where records say already where their trees are."""
    link = linked(until="pclntab")
    names = of(link)
    late = linked(until="funcblock")
    for wrong, words in (
        (attrs.evolve(names, names=(b"a\0b", *names.names[1:])), "zero byte"),
        (attrs.evolve(names, function=names.function + len(names.names)), "none of the"),
        (attrs.evolve(names, inlined=names.inlined[1:]), "inlined calls, not"),
        (attrs.evolve(names, listed=names.listed - 1), "none of the"),
    ):
        with pytest.raises(ValueError, match=words):
            with_function_names(
                link.symbols.edit(), link.pclntab, link.function_data, wrong, link.arch
            )
    with pytest.raises(ValueError, match="too late"):
        with_function_names(late.symbols.edit(), late.pclntab, late.function_data, names, link.arch)
