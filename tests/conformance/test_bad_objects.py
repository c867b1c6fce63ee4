"""Objects whose fields contradict each other: refused as by the oracle, or linked as by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linkpipe.formats import goobj
from linkpipe.reloctype import R_DWARFSECREF, R_DWTXTADDR_U4
from linkpipe.testing.links import release
from tests.conformance import oracle
from tests.conformance.damage import Editor, copy, rewrite
from tests.conformance.programs import TINY, Inputs, Program, inputs

Change = Callable[[Editor], None]
SIZE, TYPE, PKG = 13, 5, 15
"""Where fields stand: a symbol's size, a relocation's type and package index."""
HUGE = 0xFFFFFFFF
DWARF = ("-compressdwarf=false",)


def size_of_main(size: int) -> Change:
    return lambda object_: object_.put(object_.record(object_.find("runtime.main")) + SIZE, size)


def size_of(kind: int, size: int) -> Change:
    """The size of an auxiliary symbol of runtime.main's."""

    def change(object_: Editor) -> None:
        part = object_.auxs(object_.find("runtime.main"), kind)[0]
        object_.put(object_.record(part) + SIZE, size)

    return change


def address_of_debug_information(object_: Editor) -> None:
    object_.put(object_.relocs(object_.find("runtime.main"))[0] + TYPE, R_DWTXTADDR_U4, 2)


def wide_reference(object_: Editor) -> None:
    """From one entry of debug information to another, in 35 bytes."""
    entry = object_.auxs(object_.find("runtime.main"), goobj.AUX_DWARF_INFO)[0]
    types = (
        int.from_bytes(object_.data[at + TYPE :][:2], "little") for at in object_.relocs(entry)
    )
    first = list(types).index(R_DWARFSECREF)
    object_.data[object_.relocs(entry)[first] + 4] = 35


@pytest.fixture
def damaged(folder: Path) -> Callable[..., Inputs]:
    """The inputs of a small program, a field of package runtime's object changed."""

    def make(change: Change, program: Program = TINY) -> Inputs:
        given = copy(inputs(program), folder / "inputs")

        def edit(archive: bytes) -> bytes:
            object_ = Editor(archive)
            change(object_)
            return bytes(object_.data)

        rewrite(given.archives()["runtime"], edit)
        return given

    return make


REFUSED = [
    # What is changed, with which flags, what is said, and whether the oracle begins with that too.
    (size_of_main(1), ("-w",), "runtime.main: phase error: addr=0x", True),
    (size_of_main(HUGE), ("-w",), "runtime.main: symbol too large (4294967295 bytes)", False),
    (size_of_main(1 << 28), ("-w",), "runtime.main: symbol too large (268435456 bytes)", None),
    (size_of(goobj.AUX_PCSP, HUGE), ("-w",), "symbol too large (4294967295 bytes)", False),
    (size_of(goobj.AUX_PCFILE, 1 << 28), ("-w",), "symbol too large (268435456 bytes)", None),
    (size_of(goobj.AUX_FUNCDATA, HUGE), ("-w",), "symbol too large (4294967295 bytes)", False),
    (size_of(goobj.AUX_FUNCDATA, 1 << 28), ("-w",), "symbol too large (268435456 bytes)", None),
    # The oracle writes these over others, pc-value tables in no certain order.
    (size_of(goobj.AUX_PCLINE, 1), ("-w",), "table of a function is longer than its symbol", None),
    (size_of(goobj.AUX_FUNCDATA, 1), ("-w",), "of a function is longer than its symbol", None),
    (size_of(goobj.AUX_DWARF_INFO, 1), DWARF, ": phase error: addr=0x", True),
    (size_of(goobj.AUX_DWARF_LINES, 1), DWARF, ": phase error: addr=0x", True),
    (size_of(goobj.AUX_DWARF_LINES, HUGE), DWARF, "symbol too large (4294967295 bytes)", False),
    (size_of(goobj.AUX_DWARF_LINES, 1 << 30), DWARF, "symbol too large (1073741824 bytes)", None),
    (address_of_debug_information, ("-w",), "missing .debug_addr index relocation target", True),
    (wide_reference, DWARF, ": bad reloc size 0x23 for ", True),
]


@pytest.mark.parametrize(("change", "flags", "words", "same"), REFUSED)
def test_refused(
    change: Change,
    flags: tuple[str, ...],
    words: str,
    same: bool | None,
    damaged: Callable[[Change], Inputs],
    folder: Path,
) -> None:
    """In the oracle's words where it says that, and with its status if it refuses at all (None: it
    links what no compiler writes). The file is named, and no memory taken that nothing backs."""
    given = damaged(change)
    variables = {"LINKPIPE_CHECK": "0"}
    ours = oracle.link(oracle.linkpipe(), given, flags, folder / "ours", variables=variables)
    assert words in ours.stderr.splitlines()[0], ours.stderr
    assert f"file: {given.archives()['runtime']}" in ours.stderr
    assert ours.peak < 1 << 29
    assert ours.status == 2
    if same is None:
        return
    theirs = oracle.link(oracle.stock(), given, flags, folder / "theirs")
    assert theirs.status == ours.status
    if same:
        assert ours.stderr.splitlines()[0] == theirs.stderr.splitlines()[0]


def test_an_index_where_no_table_is(damaged: Callable[..., Inputs], folder: Path) -> None:
    """Debug information of version 4 refers to nothing by index: refused in the oracle's words."""
    given = damaged(address_of_debug_information, TINY.under("nodwarf5"))
    ours = oracle.link(oracle.linkpipe(), given, DWARF, folder / "ours")
    theirs = oracle.link(oracle.stock(), given, DWARF, folder / "theirs")
    assert (ours.status, theirs.status) == (2, 2)
    first = ours.stderr.splitlines()[0]
    assert "missing .debug_addr index relocation target" in first
    assert first == theirs.stderr.splitlines()[0]


def unneeded_reference(object_: Editor) -> None:
    """To a package that there is not, in a function that the program does not need."""
    object_.put(object_.relocs(object_.find("runtime.NumGoroutine"))[0] + PKG, 0x7FFF)


def undefined_builtin(name: str) -> Change:
    """A call of what only the race detector's runtime defines, in a function of that name."""
    number = next(
        i for i, (name, _) in enumerate(release().builtins) if name == b"runtime.racefuncenter"
    )

    def change(object_: Editor) -> None:
        at = object_.relocs(object_.find(name))[0] + PKG
        object_.put(at, goobj.PKG_BUILTIN)
        object_.put(at + 4, number)

    return change


def needed_reference(object_: Editor) -> None:
    object_.put(object_.relocs(object_.find("runtime.main"))[0] + PKG, 0x7FFF)


LINKED = [
    (unneeded_reference, ("-w",)),
    (undefined_builtin("runtime.NumGoroutine"), ("-w",)),
    (size_of(goobj.AUX_FUNCINFO, 1), ("-w",)),
    (size_of(goobj.AUX_FUNCINFO, HUGE), ("-w",)),
]


@pytest.mark.parametrize(("change", "flags"), LINKED)
def test_linked_as_by_the_oracle(
    change: Change, flags: tuple[str, ...], damaged: Callable[[Change], Inputs], folder: Path
) -> None:
    """What is wrong where nobody looks is not in the way."""
    given = damaged(change)
    theirs = oracle.link_oracle(given, flags, folder / "theirs")
    variables = {"LINKPIPE_CHECK": "0"}
    ours = oracle.link_linkpipe(given, flags, folder / "ours", variables=variables)
    assert oracle.differences(ours, theirs) == []


def test_what_is_needed_is_refused(damaged: Callable[[Change], Inputs], folder: Path) -> None:
    """The other half of the first case above: file, symbol and offset are named."""
    given = damaged(needed_reference)
    ours = oracle.link_linkpipe(given, ("-w",), folder / "ours")
    assert ours.status == 2
    assert ours.stderr.startswith("runtime.main: corrupt object file: reference to symbol ")
    assert f"file: {given.archives()['runtime']}(_go_.o)\n\toffset: " in ours.stderr


def test_an_undefined_builtin_is_refused(damaged: Callable[[Change], Inputs], folder: Path) -> None:
    given = damaged(undefined_builtin("runtime.main"))
    theirs = oracle.link(oracle.stock(), given, ("-w",), folder / "theirs")
    ours = oracle.link_linkpipe(given, ("-w",), folder / "ours")
    said = 'link: reference to undefined builtin "runtime.racefuncenter"'
    assert theirs.stderr.startswith(said)
    assert ours.stderr.startswith(f"{said}\n\tfile: {given.archives()['runtime']}(_go_.o)")
    assert ours.status == theirs.status == 1
