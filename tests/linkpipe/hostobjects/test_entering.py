"""C objects in the symbol table: which symbols there are, what they are, and what they refer to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from linkpipe import reloctype as rt
from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.formats.elf import SectionType
from linkpipe.formats.hostobject import SHN_COMMON, STB_WEAK, STT_COMMON, read
from linkpipe.hostobjects.entering import Entering
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag, Symbols
from tests.hostelf import AMD64, CODE, DATA, READ_ONLY, HostElf
from tests.tiny import Tiny

WIDTHS = {1: 8, 2: 4, 4: 4}


def entering(tiny: Tiny | None = None, marks: tuple[bytes, ...] = (), **exports: int) -> Entering:
    symbols = (tiny or Tiny()).link().symbols
    known = {k.encode(): v for k, v in exports.items()}
    return Entering(symbols, known, WIDTHS, 20, marks=marks)


def take_in(work: Entering, *made: HostElf) -> Entering:
    for object_ in made:
        data = np.frombuffer(object_.to_bytes(), np.uint8)
        work.enter(read(data, "p.a(x.o)", AMD64), "p")
    return work


def enter(work: Entering, *made: HostElf) -> tuple[Symbols, Relocs]:
    take_in(work, *made)
    symbols, owners, columns = work.freeze()
    return symbols, Relocs.gather(len(symbols), owners, columns)


def by_name(symbols: Symbols) -> dict[str, int]:
    return {symbols.name(sym): sym for sym in range(1, len(symbols))}


def code(*names: str, bind: int = elf.STB_GLOBAL, other: int = 0) -> HostElf:
    """An object with a function of eight bytes for each name, one after the other."""
    made = HostElf()
    text = made.section(".text", CODE, bytes(8 * len(names)), align=16)
    for at, name in enumerate(names):
        made.symbol(name, text, 8 * at, 8, bind=bind, other=other)
    return made


def test_what_nobody_needs_may_be_of_any_size() -> None:
    """The oracle looks at sizes of what is in the program. It has them in 63 bits and a sign, and
    alignments in 31 of the lower 32."""
    made = HostElf()
    for size, align in (1 << 40, 8), (1 << 63, 1 << 40 | 16), ((1 << 64) - 1, 1 << 50):
        made.section(".bss", DATA, type=SectionType.NOBITS, size=size, align=align)
    symbols, _ = enter(entering(), made)
    assert symbols.size[-3:].tolist() == [1 << 40, -1 << 63, -1]
    assert symbols.align[-3:].tolist() == [8, 16, 0]


def test_sections_of_a_program_become_symbols() -> None:
    """Those that are in memory; a name that comes again gets a number."""
    made = HostElf()
    made.section(".text", CODE, b"code", align=16)
    made.section(".rodata", READ_ONLY, b"text")
    made.section(".data", DATA, b"data", align=8)
    made.section(".bss", DATA, type=SectionType.NOBITS, size=40, align=32)
    made.section(".debug_info", 0, b"none")
    made.section(".init_array", DATA, bytes(8), type=SectionType.INIT_ARRAY)
    made.section(".data", DATA, b"more")
    made.section(".got", DATA, bytes(8))
    made.section(".data", DATA, b"last")
    symbols, _ = enter(entering(), made)
    found = by_name(symbols)
    assert list(found)[-7:] == [
        *("p(.text)", "p(.rodata)", "p(.data)", "p(.bss)"),
        *("p(.data1)", "p(.got)", "p(.data2)"),
    ]
    kinds = [SymKind(int(symbols.kind[found[name]])).name for name in list(found)[-7:]]
    assert kinds == [
        *("STEXT", "SRODATA", "SNOPTRDATA", "SNOPTRBSS"),
        *("SNOPTRDATA", "SELFGOT", "SNOPTRDATA"),
    ]
    assert bytes(symbols.data(found["p(.data1)"])) == b"more"
    bss = found["p(.bss)"]
    assert (symbols.size[bss], symbols.align[bss], symbols.data_size[bss]) == (40, 32, 0)
    assert (symbols.version[bss], symbols.object[bss]) == (20, 0)


def test_symbols_are_parts_of_sections_which_keep_each_other() -> None:
    """By place; of those at one place the last one comes first. What is reached of a section
    brings all of it."""
    made = code("second", "third")
    made.symbol("first", 1, 0, 4, bind=elf.STB_LOCAL, type=elf.STT_NOTYPE)
    made.symbol("named", 1, 8, 4, bind=elf.STB_LOCAL)
    work = entering()
    symbols, relocs = enter(work, made)
    found = by_name(symbols)
    text = found["p(.text)"]
    names = ["p(.text)", "first", "second", "named", "third"]
    assert [symbols.name(sym) for sym in work.text] == names
    parts = work.text[1:]
    assert set(symbols.container[parts].tolist()) == {text}
    assert symbols.has(work.text, Flag.OF_C).all()
    assert symbols.has(parts, Flag.INTERIOR).all()
    assert symbols.value[parts].tolist() == [0, 0, 8, 8]
    assert symbols.size[found["second"]] == 8
    assert symbols.has(found["first"], Flag.HIDDEN)
    assert symbols.version[found["first"]] < 0
    assert not symbols.has(found["second"], Flag.HIDDEN)
    kept = {sym: relocs.target[relocs.rows_of(sym)].tolist() for sym in work.text}
    assert kept == {
        text: [parts[0]],
        **{sym: [text, after] for sym, after in pairwise(parts)},
        parts[-1]: [text],
    }
    assert set(relocs.type.tolist()) == {rt.R_HOST}
    assert not relocs.size.any()


def test_relocations() -> None:
    """To symbols of their own object, of others, to sections, and to none."""
    made = code("f", "g")
    section = made.symbol("", 1, type=elf.STT_SECTION, bind=elf.STB_LOCAL)
    puts = made.symbol("puts", type=elf.STT_NOTYPE)
    for at, symbol in ((12, puts), (0, section), (4, 1), (8, 0)):
        made.reloc(1, at, 2, symbol, -4)
    work = entering()
    symbols, relocs = enter(work, made)
    found = by_name(symbols)
    text = found["p(.text)"]
    rows = relocs.rows_of(text)
    assert relocs.offset[rows].tolist() == [0, 4, 8, 12, 0]
    assert relocs.type[rows].tolist() == [rt.R_HOST + 2] * 4 + [rt.R_HOST]
    assert relocs.size[rows].tolist() == [4] * 4 + [0]
    assert relocs.add[rows].tolist() == [-4] * 4 + [0]
    targets = [text, found["f"], 0, found["puts"], found["f"]]
    assert relocs.target[rows].tolist() == targets
    assert symbols.kind[found["puts"]] == SymKind.SXREF
    assert not symbols.has(found["puts"], Flag.OF_C)
    assert take_in(entering(), made).undefined() == [b"puts"]


def test_the_table_of_addresses_is_nobodys() -> None:
    made = code("f")
    made.reloc(1, 0, 2, made.symbol("_GLOBAL_OFFSET_TABLE_", type=elf.STT_NOTYPE))
    symbols, _ = enter(entering(), made)
    assert ".got" in by_name(symbols)
    assert take_in(entering(), made).undefined() == []


def test_what_go_exports_and_what_it_declares() -> None:
    """C finds exported functions by name whatever their calling convention; what stands for a
    function of C in Go becomes that function."""
    tiny = Tiny()
    exported = tiny.symbol("exported", 1, kind=SymKind.STEXT, content=bytes(4))
    declared = tiny.symbol("declared", kind=SymKind.Sxxx)
    imported = tiny.symbol("puts", kind=SymKind.SDYNIMPORT)
    made = code("declared")
    for at, name in ((0, "exported"), (4, "puts")):
        made.reloc(1, at, 2, made.symbol(name, type=elf.STT_NOTYPE))
    work = entering(tiny, exported=exported)
    symbols, relocs = enter(work, made)
    text = by_name(symbols)["p(.text)"]
    assert relocs.target[relocs.rows_of(text)].tolist()[:2] == [exported, imported]
    assert symbols.kind[declared] == SymKind.STEXT
    assert symbols.container[declared] == text
    assert work.defined == {declared}
    assert symbols.kind[imported] == SymKind.SDYNIMPORT


def test_common_symbols_are_as_large_as_the_largest() -> None:
    def common(size: int, type_: int) -> HostElf:
        made = HostElf()
        made.symbol("shared", SHN_COMMON, 8, size, type=type_)
        return made

    symbols, _ = enter(
        entering(),
        code("f"),
        common(4, elf.STT_OBJECT),
        common(16, STT_COMMON),
        common(8, elf.STT_OBJECT),
    )
    shared = by_name(symbols)["shared"]
    assert (symbols.kind[shared], symbols.size[shared]) == (SymKind.SNOPTRBSS, 16)
    assert not symbols.container[shared]
    assert symbols.flags[shared] & (Flag.OF_C | Flag.INTERIOR) == Flag.OF_C


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (code("f"), code("f", bind=STB_WEAK)),
        (code("f", bind=STB_WEAK), code("f", bind=STB_WEAK)),
        (code("f", other=elf.STV_HIDDEN), code("f", other=elf.STV_HIDDEN)),
    ],
)
def test_of_definitions_that_may_repeat_the_first_counts(first: HostElf, second: HostElf) -> None:
    work = entering()
    symbols, _ = enter(work, first, second)
    f = by_name(symbols)["f"]
    assert symbols.container[f] == work.text[0]
    assert [symbols.name(sym) for sym in work.text] == ["p(.text)", "f", "p(.text)"]


@pytest.mark.parametrize(
    ("first", "second"),
    [(code("f"), code("f")), (code("f", bind=STB_WEAK), code("f"))],
)
def test_other_definitions_clash(first: HostElf, second: HostElf) -> None:
    """Also a strong one behind a weak one, which the oracle refuses."""
    with pytest.raises(InputError) as error:
        enter(entering(), first, second)
    assert "duplicate symbol reference: f in both p(.text) and p(.text)" in str(error.value)


def test_a_definition_of_gos_with_content_clashes() -> None:
    tiny = Tiny()
    tiny.symbol("f", kind=SymKind.STEXT, content=bytes(4))
    with pytest.raises(InputError, match="f: duplicate symbol definition"):
        enter(entering(tiny), code("f"))


def test_labels_in_debug_information_are_passed_over() -> None:
    made = code("f")
    debug = made.section(".debug_line", 0, bytes(8))
    for name in (".Lline_table_start0", ".LASF3", "wm4.x", ""):
        made.symbol(name, debug, bind=elf.STB_LOCAL, type=elf.STT_NOTYPE)
    enter(entering(), made)


def test_marks_of_the_assembler_are_no_symbols() -> None:
    """Local names that begin like that, where the architecture has such; nothing may refer to
    them."""
    made = code("$d.f", "g")
    made.symbol("$d.3", 1, 8, bind=elf.STB_LOCAL, type=elf.STT_NOTYPE)
    symbols, _ = enter(entering(marks=(b"$d",)), made)
    assert {"$d.f", "g"} < by_name(symbols).keys()
    assert "$d.3" not in by_name(symbols)
    assert "$d.3" in by_name(enter(entering(), made)[0])
    made.reloc(1, 0, 2, 3)
    with pytest.raises(InputError, match=r"reloc of invalid sym #3 \$d\.3"):
        enter(entering(marks=(b"$d",)), made)


def test_a_symbol_may_lie_outside_of_its_section() -> None:
    """Where a label of code that is gone would be: the oracle counts on."""
    made = code("f")
    made.symbol("beyond", 1, 900, (1 << 64) - 1)
    symbols, _ = enter(entering(), made)
    row = by_name(symbols)["beyond"]
    assert (symbols.value[row], symbols.size[row]) == (900, -1)


def test_the_largest_common_symbol_of_a_name_counts() -> None:
    """A size of 64 bits is no negative number."""
    sizes = []
    for name, size in (("f", 8), ("g", (1 << 64) - 1)):
        made = code(name)
        made.symbol("shared", SHN_COMMON, 8, size, type=elf.STT_OBJECT)
        sizes.append(made)
    symbols, _ = enter(entering(), *sizes)
    assert symbols.size[by_name(symbols)["shared"]] == -1


def _label(made: HostElf) -> None:
    made.symbol("odd", made.section(".debug_line", 0, bytes(8)), type=elf.STT_OBJECT)


def _flags(made: HostElf) -> None:
    made.section(".both", CODE | DATA, bytes(8))


def _align(made: HostElf) -> None:
    made.section(".odd", DATA, bytes(8), align=3)


def _binding(made: HostElf) -> None:
    made.symbol("f2", 1, bind=10)


def _type(made: HostElf) -> None:
    made.symbol("type:*x", 1)


def _thread_local(made: HostElf) -> None:
    made.reloc(1, 0, 2, made.symbol("errno", type=elf.STT_TLS))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_label, 'sym#2 ("odd"): unrecognized symbol in section 2 (".debug_line") (type 1)'),
        (_flags, "p.a(x.o): unexpected flags for ELF section .both"),
        (_align, "bad alignment value"),
        (_binding, "f2: invalid symbol binding 10"),
        (_type, "type:*x: a C object defines it, and the linker makes it itself"),
        (_thread_local, "p(.text)#0: reloc of invalid sym #2 errno shndx=0 type=6"),
    ],
)
def test_what_is_refused(damage: Callable[[HostElf], None], said: str) -> None:
    """In the oracle's words, with the name of the file."""
    made = code("f")
    damage(made)
    with pytest.raises(InputError) as error:
        enter(entering(), made)
    assert said in str(error.value)
    assert "loadelf: p.a(x.o): " in str(error.value)
