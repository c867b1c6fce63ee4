"""pclntab, funcblock, findfunctab, pclnbytes, funcbytes: the tables equal those made by the
sequential rules. funcsymbols, funcoffsets: the same data in the form of earlier releases."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.arches import riscv64
from linkpipe.arches.amd64 import ARCH
from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import distinct, expand
from linkpipe.engine.context import Link
from linkpipe.engine.pass_api import linkpass
from linkpipe.errors import InputError, LinkErrors, PipelineError
from linkpipe.formats import goobj
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.passes.findfunctab import findfunctab
from linkpipe.passes.funcblock import funcblock
from linkpipe.passes.funcbytes import funcbytes
from linkpipe.passes.funcoffsets import funcoffsets
from linkpipe.passes.funcsymbols import funcsymbols
from linkpipe.passes.pclnbytes import pclnbytes
from linkpipe.passes.pclntab import pclntab
from linkpipe.passes.resolve import resolve
from linkpipe.reloctype import R_ADDR, R_ADDROFF, R_CALL
from linkpipe.symkind import SymKind
from linkpipe.tables.pclntab import Functab, FunctionData
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Flag
from linkpipe.testing.links import INTERNAL, object_format, release
from tests.goobj_writer import Obj, Reloc, Sym, write_archive
from tests.inserted import link_with_pass
from tests.passes.slow_pclntab import tables_slowly

TEXT, RODATA = 1, 3
FILES = ("gofile../a.go", "gofile../b.go", "c.go", "gofile../a.go", "d.go")
TEXT_AT, RODATA_AT = 0x401000, 0x500000


@attrs.frozen
class Inlined:
    file: int
    package: int
    function: int
    pc: int


@attrs.frozen
class Func:
    """One function of a package; ``pcs`` and ``data`` are numbers of shared contents."""

    size: int
    known: bool
    args: int
    func_id: int
    flag: int
    line: int
    files: tuple[int, ...]
    inlined: tuple[Inlined, ...]
    pcs: tuple[int, ...]  # pcsp, pcfile, pcline, pcinline, then pcdata; 0: none
    data: tuple[int, ...]
    defers: bool


small = st.integers(0, 5)
funcs = st.builds(
    Func,
    size=st.integers(1, 900),
    known=st.sampled_from([True, True, True, False]),
    args=st.sampled_from([0, 8, 0x80000000]),
    func_id=st.integers(0, 255),
    flag=st.integers(0, 255),
    line=st.integers(-1, 1000),
    files=st.lists(st.integers(0, len(FILES) - 1), max_size=3).map(tuple),
    inlined=st.lists(
        st.builds(
            Inlined,
            file=st.integers(0, len(FILES) - 1),
            package=st.integers(0, 2),
            function=small,
            pc=st.integers(-1, 500),
        ),
        max_size=3,
    ).map(tuple),
    pcs=st.lists(small, min_size=4, max_size=8).map(tuple),
    data=st.lists(small, max_size=7).map(tuple),
    defers=st.booleans(),
)
programs = st.lists(st.lists(funcs, min_size=1, max_size=6), min_size=1, max_size=3)


def contents() -> tuple[Sym, ...]:
    """Contents that every object has: five pc-value tables, five blobs of funcdata, deduplicated
    by their hash; and a pointer mask, which one of the blobs refers to."""
    pcs = [Sym(type=RODATA, size=n, data=bytes([n] * n), hash=bytes([n] * 16)) for n in range(5)]
    aligns = [1, 8, 0, 4, 8]
    data = [
        Sym(
            name=f"blob{n}",
            type=RODATA,
            size=7 * n + 4,
            align=a,
            data=bytes([n] * (7 * n + 4)),
            hash=bytes([16 + n] * 16),
            relocs=(Reloc(4, 4, R_ADDROFF, (goobj.PKG_HASHED, 10), add=3),) if n == 3 else (),
        )
        for n, a in enumerate(aligns)
    ]
    mask = Sym(name="mask", type=RODATA, size=1, data=b"\1", hash=bytes([99] * 16))
    return (*pcs, *data, mask)


def obj(row: int, program: list[list[Func]]) -> Obj:
    package = program[row]
    names = [f"p{i}" for i in range(len(program))]
    infos, functions = [], []
    for place, f in enumerate(package):
        tree = b""
        for call in f.inlined:
            there = call.package % len(program)
            callee = call.function % len(program[there])
            # The compiler never inlines what it knows nothing about.
            if not program[there][callee].known:
                continue
            # Functions come first among an object's definitions.
            pkg = goobj.PKG_SELF if there == row else 1 + names.index(f"p{there}")
            tree += struct.pack("<iIiIIi", -1, call.file, 7, pkg, callee, call.pc)
        record = struct.pack("<IIBBxxiI", f.args, 16, f.func_id, f.flag, f.line, len(f.files))
        record += struct.pack(f"<{len(f.files)}I", *f.files)
        record += struct.pack("<I", len(tree) // 24) + tree
        infos.append(Sym(type=RODATA, size=len(record), data=record))
        kinds = [goobj.AUX_PCSP, goobj.AUX_PCFILE, goobj.AUX_PCLINE, goobj.AUX_PCINLINE]
        kinds += [goobj.AUX_PCDATA] * 4
        auxs = [(goobj.AUX_FUNCINFO, (goobj.PKG_SELF, len(package) + place))] if f.known else []
        auxs += [
            (kind, (goobj.PKG_HASHED, n - 1)) for kind, n in zip(kinds, f.pcs, strict=False) if n
        ]
        auxs += [(goobj.AUX_FUNCDATA, (goobj.PKG_HASHED, 4 + n) if n else (0, 0)) for n in f.data]
        calls = (
            Reloc(3, 4, R_ADDR, (goobj.PKG_NONE, 0)),
            Reloc(9, 4, R_CALL, (goobj.PKG_NONE, 0)),
            Reloc(99, 4, R_CALL, (goobj.PKG_NONE, 0)),
        )
        functions.append(
            Sym(
                name=f"p{row}.f{place}",
                abi=1,
                type=TEXT,
                size=f.size,
                data=b"\xc3" * f.size,
                auxs=tuple(auxs),
                relocs=calls if f.defers else (),
            )
        )
    return Obj(
        package=f"p{row}",
        packages=tuple(names),
        files=FILES,
        defs=(*functions, *infos),
        hashed=contents(),
        refs=(Sym(name="runtime.deferreturn", abi=1),),
    )


def loaded(folder: Path, objects: list[Obj]) -> Link:
    """Resolve packages; all functions are laid out, in order, everything is reachable."""
    files = {o.package: write_archive(folder / f"{i}.a", o) for i, o in enumerate(objects)}
    loader = PackageLoader(Places(files), next(iter(files.values())))
    for path, file in files.items():
        loader.add(path, file, "test")
    loader.load()
    packages, read = loader.freeze(None, object_format())
    options: Any = SimpleNamespace(
        w=True, dumpdep=False, modular=False, environment=SimpleNamespace(goroot="")
    )
    link = resolve.run(
        Link(
            {
                "packages": packages,
                "objects": read,
                "arch": ARCH,
                "options": options,
                "release": release(),
                "mode": INTERNAL,
            }
        )
    )
    edit = link.symbols.edit()
    edit.add_flags(np.arange(1, len(edit)), Flag.REACHABLE)
    text = edit.lookup_or_create("runtime.text")
    edit.set(text, value=TEXT_AT)
    # Made by the linker, and therefore without function information.
    stub = edit.lookup_or_create("local.stub")
    edit.set(stub, kind=SymKind.STEXT, size=1)
    made = edit.freeze()
    ids = np.arange(len(made))
    order = np.append(ids[made.kind == SymKind.STEXT], []).astype(np.int32)
    relocs = Relocs.gather(len(made), ids, link.objects.relocs(made.object, made.local))
    edit = made.edit()
    edit.set(order, value=TEXT_AT + np.cumsum(made.size[order] + 15) - made.size[order] - 15)
    return link.evolve(
        symbols=edit.freeze(), relocs=relocs, text_order=frozen(order), trampolines={}
    )


def named(link: Link, name: str) -> list[int]:
    """Symbols found by content have a name, but are not found by it."""
    return [s for s in range(1, len(link.symbols)) if link.symbols.name(s) == name]


def finished(link: Link) -> Link:
    """Run the passes, with made-up addresses between them."""
    link = findfunctab.run(funcblock.run(pclntab.run(link)))
    edit = link.symbols.edit()
    at = 0x600000
    tables = link.pclntab
    for sym in (
        tables.pcheader,
        tables.funcnametab,
        tables.cutab,
        tables.filetab,
        tables.pctab,
        tables.functab,
        edit.lookup("go:func.*"),
    ):
        edit.set(sym, value=at)
        at += int(edit.size[sym])
    for mask in named(link, "mask"):
        edit.set(mask, value=RODATA_AT + 0x50, section=1)
    none = frozen(np.zeros(0, np.int32))
    rows = [Section(".text", "text", 5, none, 16, TEXT_AT)]
    rows.append(Section(".rodata", "rodata", 4, none, 16, RODATA_AT))
    link = link.evolve(symbols=edit.freeze(), sections=Sections(tuple(rows), ()))
    return pclnbytes.run(funcbytes.run(link))


def contents_of(link: Link) -> dict[str, bytes]:
    tables, symbols = link.pclntab, link.symbols
    ids = (
        tables.funcnametab,
        tables.cutab,
        tables.filetab,
        tables.pctab,
        tables.functab,
        symbols.lookup("go:func.*"),
        tables.findfunctab,
    )
    return {symbols.name(s): bytes(symbols.data(s)) for s in ids}


@settings(max_examples=60)
@given(programs)
def test_tables_equal_those_of_the_sequential_rules(
    tmp_path: Path, program: list[list[Func]]
) -> None:
    link = finished(loaded(tmp_path, [obj(i, program) for i in range(len(program))]))
    assert not link.symbols.check()
    slow = tables_slowly(link, link.text_order.tolist())
    found = contents_of(link)
    assert found.keys() == slow.keys()
    for name, content in slow.items():
        # Sizes are rounded up; findfunctab's is not.
        assert found[name].ljust(len(content), b"\0").rstrip(b"\0") == content.rstrip(b"\0"), name
        size = int(link.symbols.size[link.symbols.lookup(name)])
        rounded = len(content) + -len(content) % 8
        assert size == (len(content) if name == "runtime.findfunctab" else rounded), name


A_FUNC = Func(
    size=20,
    known=True,
    args=8,
    func_id=0,
    flag=0,
    line=3,
    files=(0,),
    inlined=(Inlined(1, 0, 0, 4),),
    pcs=(1, 2, 3, 4),
    data=(1, 0, 4),
    defers=True,
)


def test_header_and_symbols(tmp_path: Path) -> None:
    """The header counts functions and files and says where the tables are; symbols are made in
    the oracle's order, since their ids show in the output."""
    before = loaded(tmp_path, [obj(0, [[A_FUNC, A_FUNC]])])
    link = finished(before)
    symbols, tables = link.symbols, link.pclntab
    header = bytes(symbols.data(tables.pcheader))
    magic, min_lc, ptrsize, *words = struct.unpack("<IxxBB8Q", header)
    assert (magic, min_lc, ptrsize) == (0xFFFFFFF1, 1, 8)
    assert words[:3] == [3, 2, 0]
    others = (tables.funcnametab, tables.cutab, tables.filetab, tables.pctab, tables.functab)
    assert words[3:] == [int(symbols.value[s] - symbols.value[tables.pcheader]) for s in others]
    made = [symbols.name(s) for s in range(len(before.symbols), len(symbols))]
    assert made == [
        "runtime.pclntab",
        "runtime.pcheader",
        "runtime.funcnametab",
        "runtime.cutab",
        "runtime.filetab",
        "runtime.pctab",
        "",
        "",
        "runtime.functab",
        "go:func.*",
        "runtime.findfunctab",
    ]
    assert all(symbols.container[s] == tables.carrier for s in others)


@settings(max_examples=30)
@given(programs)
def test_data_of_functions_in_both_forms(tmp_path: Path, program: list[list[Func]]) -> None:
    """Each record points to the same data, be it in one block or among read-only data; earlier
    headers have a relocation for the address of the text."""
    link = loaded(tmp_path, [obj(i, program) for i in range(len(program))])
    block = finished(link)
    link = funcsymbols.run(pclntab.run(link.evolve(release=release("1.25"))))
    edit, data = link.symbols.edit(), link.function_data
    ids = distinct(data.symbols)
    ids = ids[ids != 0]
    edit.set(edit.lookup_or_create("go:func.*"), value=RODATA_AT)
    edit.set(ids, value=RODATA_AT + 8 * np.cumsum(edit.size[ids]))
    link = funcoffsets.run(link.evolve(symbols=edit.freeze()))
    table, place = link.pclntab, block.symbols.value
    assert not link.symbols.check()
    none = data.symbols == 0
    for offset, one, at in (
        (place, block.pclntab, 0),
        (link.symbols.value, table, RODATA_AT),
    ):
        expected = np.where(none, 0xFFFFFFFF, offset[data.symbols] - at)
        assert offsets_of(data, one.functab_data) == expected.tolist()
    whole = contents_of(block)["go:func.*"]
    for sym in ids.tolist():
        content = bytes(link.symbols.data(sym))
        assert content.ljust(int(link.symbols.size[sym]), b"\0") == bytes(
            whole[place[sym] : place[sym] + block.symbols.size[sym]]
        ) or link.relocs.rows_of(sym) != slice(0, 0)
    rows = link.relocs.rows_of(table.pcheader)
    row = rows.start
    assert rows.stop == row + 1
    assert int(link.relocs.target[row]) == link.symbols.lookup("runtime.text")
    assert int(link.relocs.offset[row]) == 8 + 2 * 8
    assert not (link.symbols.align[[table.pcheader, table.functab]]).any()


def offsets_of(data: FunctionData, table: Functab) -> list[int]:
    """The places of data in the records, function by function."""
    words = table.words.view("<u4")
    first = data.records // 4 + 11
    first += words[first - 4]
    return words[expand(first, data.counts)].tolist()


def test_assembled_functions_may_lack_argument_maps(tmp_path: Path) -> None:
    """The assembler names argument maps that the compiler may not have made; elsewhere a missing
    one is an error."""
    refs = (Sym(name="f.args_stackmap"),)
    auxs = ((goobj.AUX_FUNCINFO, (goobj.PKG_SELF, 1)), (goobj.AUX_FUNCDATA, (goobj.PKG_NONE, 0)))
    record = Sym(type=RODATA, size=24, data=bytes(24))
    function = Sym(name="f", abi=1, type=TEXT, size=4, data=b"code", auxs=auxs)
    one = Obj(defs=(function, record), refs=refs)
    assembled = attrs.evolve(one, flags=goobj.FLAG_FROM_ASSEMBLY)
    link = finished(loaded(tmp_path, [assembled]))
    assert contents_of(link)["go:func.*"] == b""
    with pytest.raises(InputError, match="zero size funcdata"):
        finished(loaded(tmp_path, [one]))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (bytes(23), "cut short"),
        (bytes(16) + b"\xff\xff\xff\xff" + bytes(4), "cut short"),
        (bytes(20) + b"\x01\0\0\0", "cut short"),
        (bytes(16) + b"\x01\0\0\0" + b"\x05\0\0\0" + bytes(4), "source file number 5"),
    ],
)
def test_damaged_function_information_is_refused(
    tmp_path: Path, record: bytes, message: str
) -> None:
    """Counts in a record are not trusted."""
    auxs = ((goobj.AUX_FUNCINFO, (goobj.PKG_SELF, 1)),)
    function = Sym(name="f", abi=1, type=TEXT, size=4, data=b"code", auxs=auxs)
    damaged = Sym(type=RODATA, size=len(record), data=record)
    link = loaded(tmp_path, [Obj(defs=(function, damaged), files=FILES)])
    with pytest.raises(InputError, match=f"f: .*{message}|{message}") as caught:
        pclntab.run(link)
    assert caught.value.file == f"{tmp_path / '0.a'}(_go_.o)"


@pytest.mark.parametrize(
    ("reloc", "message"),
    [
        (Reloc(0, 4, R_ADDR, (goobj.PKG_HASHED, 10)), "unsupported relocation"),
        (Reloc(0, 8, R_ADDROFF, (goobj.PKG_HASHED, 10)), "unsupported ADDROFF relocation size"),
        (Reloc(2, 4, R_ADDROFF, (goobj.PKG_HASHED, 10)), "outside of funcdata symbol"),
        (Reloc(0, 4, R_ADDROFF, (goobj.PKG_HASHED, 10), add=2**40), "out of range"),
        (Reloc(0, 4, R_ADDROFF, (goobj.PKG_HASHED, 0)), "missing section"),
    ],
)
def test_only_offsets_into_sections_may_stand_in_funcdata(
    tmp_path: Path, reloc: Reloc, message: str
) -> None:
    hashed = list(contents())
    hashed[5] = attrs.evolve(hashed[5], relocs=(reloc,))
    one = attrs.evolve(obj(0, [[A_FUNC]]), hashed=tuple(hashed))
    with pytest.raises(LinkErrors) as caught:
        finished(loaded(tmp_path, [one]))
    assert message in caught.value.render()


def test_references_after_a_dropped_weak_one_stay(tmp_path: Path) -> None:
    """As in the oracle: the first weak reference to what is not linked ends the list."""
    refs = (goobj.PKG_HASHED, 10), (goobj.PKG_HASHED, 0)
    relocs = (
        Reloc(0, 2, R_ADDROFF | goobj.WEAK, refs[1]),
        Reloc(0, 4, R_ADDROFF, refs[0]),
    )
    hashed = list(contents())
    hashed[5] = attrs.evolve(hashed[5], relocs=relocs)
    link = loaded(tmp_path, [attrs.evolve(obj(0, [[A_FUNC]]), hashed=tuple(hashed))])
    edit = link.symbols.edit()
    dead = int(link.objects.local_to_id[link.objects.local_base[1] + link.objects.ndef[1]])
    edit.clear_flags(dead, Flag.REACHABLE)
    link = finished(link.evolve(symbols=edit.freeze()))
    (blob,) = named(link, "blob0")
    at = int(link.symbols.value[blob])
    assert contents_of(link)["go:func.*"][at : at + 4] == bytes(4)


def test_crowded_text_is_refused(tmp_path: Path) -> None:
    """The index from addresses has one byte for the number of functions in a bucket."""
    f = attrs.evolve(A_FUNC, size=1, inlined=())
    link = loaded(tmp_path, [obj(0, [[f] * 300])])
    edit = link.symbols.edit()
    edit.set(link.text_order, value=TEXT_AT + np.arange(len(link.text_order)))
    edit.set(link.text_order[-1:], size=4096)
    with pytest.raises(InputError, match="too many functions in a findfunc bucket"):
        finished(link.evolve(symbols=edit.freeze()))


def test_labels_in_code_of_c_objects_are_no_functions(tmp_path: Path) -> None:
    """Of architectures whose objects are full of them; nor is what has no name, there."""
    link = loaded(tmp_path, [obj(0, [[A_FUNC]])])
    edit = link.symbols.edit()
    made = [edit.create_static(name) for name in (b".L0 ", b"", b"f")]
    edit.set(np.array(made), kind=SymKind.STEXT, value=TEXT_AT + 0x100)
    edit.add_flags(np.array(made), Flag.OF_C)
    order = np.append(link.text_order, np.array(made, np.int32))
    link = link.evolve(symbols=edit.freeze(), text_order=frozen(order))
    assert pclntab.run(link).pclntab.functions.tolist() == order.tolist()
    left = pclntab.run(link.evolve(arch=riscv64.ARCH)).pclntab.functions.tolist()
    assert left == [*order[:-3].tolist(), made[-1]]


def test_functions_that_are_not_in_order_of_address_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The runtime of such a program would not find its functions, and end it."""

    @linkpass(requires=("text_order",), provides=("text_order",), name="late.order")
    def late(link: Link) -> Link:
        """Turn the functions round, which have addresses already."""
        return link.evolve(text_order=frozen(link.text_order[::-1].copy()))

    with pytest.raises(PipelineError, match="text_order has .* before .*, which has a lower"):
        link_with_pass(monkeypatch, late, "textaddress", tmp_path / "out", until="pclntab")
