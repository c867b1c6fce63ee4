"""Sections that a pass brings are in real programs, loaded or not, writable or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from linkpipe.api import InputError, Link, linkpass, note_section, own_section, unloaded_section
from linkpipe.symkind import SymKind
from linkpipe.testing import Tiny
from tests.conformance.oracle import prints
from tests.conformance.programs import table
from tests.inserted import link_with_pass

ALLOC, WRITE = 2, 1


@linkpass(
    name="sections",
    requires=("symbols",),
    optional=("debug_sections",),
    provides=("symbols", "debug_sections"),
)
def bring(link: Link) -> Link:
    """One of each sort."""
    edit = link.symbols.edit()
    own_section(edit, ".acme.fixed", b"fixed", align=32)
    own_section(edit, ".acme.open", b"open", writable=True)
    note_section(edit, ".note.acme", b"acme\0", 7, b"a note", link.arch.endian)
    before = link.debug_sections if link.has("debug_sections") else ()
    sections = unloaded_section(before, edit, ".acme.aside", b"aside" * 1000)
    return link.evolve(symbols=edit.freeze(), debug_sections=sections)


@pytest.mark.parametrize(
    ("program", "flags"),
    [("hello", ()), ("hello", ("-s", "-w")), ("hello-s390x", ("-w",)), ("host", ("-w",))],
)
def test_each_sort_is_in_the_program_and_it_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, flags: tuple[str, ...]
) -> None:
    """With debug information and without; where a host linker finishes the program, too."""
    out = tmp_path / "out"
    after = "symtab" if flags else "debuginfo"
    link_with_pass(monkeypatch, bring, after, out, program=program, flags=flags)
    if program != "host":
        assert prints(table()[program], out)[0] == 0
    with out.open("rb") as file:
        elf = ELFFile(file)
        found = {section.name: section for section in elf.iter_sections()}
        fixed, open_ = found[".acme.fixed"], found[".acme.open"]
        assert (fixed.data(), fixed["sh_flags"] & (ALLOC | WRITE)) == (b"fixed", ALLOC)
        assert fixed["sh_addr"] % 32 == 0
        assert (open_.data(), open_["sh_flags"] & (ALLOC | WRITE)) == (b"open", ALLOC | WRITE)
        notes = found[".note.acme"]
        assert isinstance(notes, NoteSection)
        note = next(notes.iter_notes())
        assert [note["n_name"], note["n_type"], note["n_desc"]] == ["acme", 7, b"a note"]
        aside = found[".acme.aside"]
        assert (aside.data(), aside["sh_flags"] & ALLOC) == (b"aside" * 1000, 0)


def test_what_cannot_be_a_section_is_refused() -> None:
    tiny = Tiny()
    sections = unloaded_section((), tiny.symbols, ".acme", b"a")
    with pytest.raises(ValueError, match=r"a section \.acme already"):
        unloaded_section(sections, tiny.symbols, ".acme", b"b")
    with pytest.raises(ValueError, match="3 is no power of two"):
        own_section(tiny.symbols, ".other", b"", align=3)
    with pytest.raises(ValueError, match="no name of a note section"):
        note_section(tiny.symbols, ".other", b"acme\0", 1, b"", "<")
    theirs = tiny.symbol(".theirs")
    tiny.symbols.set(theirs, object=1)
    with pytest.raises(InputError, match="a package defines that symbol"):
        own_section(tiny.symbols, ".theirs", b"")
    tiny.symbol(".linkers", kind=SymKind.SRODATA)
    with pytest.raises(InputError, match="is something else already"):
        own_section(tiny.symbols, ".linkers", b"")
    for name in ("", "acme", ".a\0b"):
        with pytest.raises(ValueError, match="is no name of a section"):
            own_section(tiny.symbols, name, b"")


@pytest.mark.parametrize("name", [".shstrtab", ".noptrdata"])
def test_there_are_no_two_sections_of_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Whoever looks for one of them would find the other."""

    @linkpass(requires=("symbols",), provides=("symbols",), name="acme.again")
    def again(link: Link) -> Link:
        """Bring a section that there is anyhow."""
        edit = link.symbols.edit()
        own_section(edit, name, b"content")
        return link.evolve(symbols=edit.freeze())

    with pytest.raises(InputError, match=f"two sections of the name {name}"):
        link_with_pass(monkeypatch, again, "linksetup", tmp_path / "out", flags=("-w",))
