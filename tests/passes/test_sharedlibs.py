"""Shared libraries of Go: what a link takes from them, and what one says of itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.imported import ImportedTypes
from linkpipe.gotypes.layout import Kind
from linkpipe.gotypes.pointers import PointerWords
from linkpipe.passes.abihash import abihash
from linkpipe.passes.inittasks import inittasks
from linkpipe.passes.mangle import mangle, mangled_name
from linkpipe.passes.modulehashes import modulehashes
from linkpipe.passes.sharedlibs import sharedlibs
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import Package
from linkpipe.tables.symbols import ABI0, ABI_INTERNAL, Flag
from linkpipe.testing.links import release
from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved
from tests.shlib_writer import BASE, Def, write_library

MODE = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=True, imports=True)
TEXT, RODATA, NOPTRDATA = 1, 3, 5


def given(folder: Path, *libraries: Path, defs: tuple[Sym, ...] = (), **flags: Any) -> Link:
    """A link of a package m and of packages in these libraries; a library may come twice."""
    own = Sym(name="main.main", type=TEXT, abi=1, size=1, data=b"c")
    link = resolved(folder, [Obj("m", defs=(own, *defs))], mode=MODE, **flags)
    more = tuple(
        Package(f"p{i}", "", "main", bytes([i] * 8), (), (), False, str(library))
        for i, library in enumerate(libraries)
    )
    packages = link.packages
    items = (*packages.items, *more)
    packages = attrs.evolve(packages, items=items, postorder=tuple(range(len(items))))
    return link.evolve(packages=packages)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write_library(
        tmp_path / "libp.so",
        [
            Def("runtime.f.abiinternal", 16, 0, elf.STT_FUNC),
            Def("runtime.f.abi0", 8, 16, elf.STT_FUNC),
            Def("type:.eq.T", 4, 24, elf.STT_FUNC),
            Def("type:int", 6, 32),
            Def("type:.hidden", 6, 32),
            Def("main.v", 8, 40),
            Def("malloc", 0, None, elf.STT_FUNC),
            Def("notype", 0, 0, elf.STT_NOTYPE),
        ],
        b"x" * 32 + b"descriptor".ljust(32),
    )


def test_imports_of_a_library(library: Path, tmp_path: Path) -> None:
    """A function's name tells its version; what an archive defines stays as it is."""
    own = Sym(name="main.v", type=NOPTRDATA, size=2, data=b"ab")
    before = given(tmp_path, library, library, defs=(own,))
    link = sharedlibs.run(before)
    symbols = link.symbols
    assert [lib.path for lib in link.shlibs.items] == [str(library)]
    names = [(symbols.name(i), int(symbols.version[i])) for i in range(len(symbols))]
    assert names[len(before.symbols) :] == [
        ("runtime.f", ABI_INTERNAL),
        ("runtime.f", ABI0),
        ("type:.eq.T", ABI_INTERNAL),
        ("type:int", ABI0),
        ("type:.hidden", ABI0),
        ("malloc", ABI0),
    ]
    f = symbols.lookup("runtime.f", ABI_INTERNAL)
    assert symbols.kind[f] == SymKind.SDYNIMPORT
    assert (int(symbols.size[f]), symbols.extname(f)) == (16, b"runtime.f.abiinternal")
    assert link.shlibs.types[f] == elf.STT_FUNC
    assert bytes(symbols.data(symbols.lookup("type:int"))) == b"descri"
    assert bytes(symbols.data(symbols.lookup("type:.hidden"))) == b""
    v = symbols.lookup("main.v")
    assert (int(symbols.size[v]), bytes(symbols.data(v))) == (2, b"ab")
    assert symbols.kind[v] == SymKind.SNOPTRDATA
    assert v not in link.shlibs.types


def test_a_library_that_is_named_without_its_folder(library: Path, tmp_path: Path) -> None:
    link = sharedlibs.run(given(tmp_path, Path("libp.so"), L=(str(tmp_path),)))
    assert [lib.path for lib in link.shlibs.items] == [str(library)]
    with pytest.raises(InputError, match=r"cannot find shared library: libp\.so"):
        sharedlibs.run(given(tmp_path, Path("libp.so")))


def test_a_type_by_its_short_name(tmp_path: Path) -> None:
    """A library has the short name; what refers to the long one gets what the library says."""
    long = "type:*map[string]main.T"
    short = mangled_name(long.encode(), release()).decode()
    library = write_library(tmp_path / "libp.so", [Def(short, 4, 0)], b"type")
    link = given(tmp_path, library)
    edit = link.symbols.edit()
    sym = edit.lookup_or_create(long)
    link = mangle.run(sharedlibs.run(link.evolve(symbols=edit.freeze())))
    assert link.symbols.kind[sym] == SymKind.SDYNIMPORT
    assert link.symbols.name(sym) == short
    assert bytes(link.symbols.data(sym)) == b"type"
    assert int(link.symbols.size[sym]) == 4


@pytest.mark.parametrize(("go", "size"), [("1.24", 20), ("1.25", 32), ("1.27", 32)])
def test_what_a_library_says_of_itself(go: str, size: int, library: Path, tmp_path: Path) -> None:
    """The hash is over fingerprints in the order of paths; the names are as they were given."""
    operands = ("zz=z.a", "main=m.a")
    link = given(tmp_path, library, buildmode="shared", operands=operands)
    link = abihash.run(sharedlibs.run(link.evolve(release=release(go))))
    fingerprints = [package.fingerprint for package in link.packages.items]
    assert [link.packages.items[row].path for row in link.packages.postorder] == ["m", "p0"]
    digest = hashlib.sha256(b"\1" + b"".join(fingerprints)).digest()[:size]
    symbols, note = link.symbols, link.abihash.note
    assert symbols.name(note) == ".note.go.abihash"
    assert bytes(symbols.data(note))[link.abihash.at :] == digest
    listed = bytes(symbols.data(symbols.lookup(".note.go.pkg-list")))
    assert listed.rstrip(b"\0").endswith(b"zz\nmain\n")
    assert b"libp.so" in bytes(symbols.data(symbols.lookup(".note.go.deps")))
    content = symbols.lookup("go:link.abihashbytes")
    assert content == link.abihash.content
    assert symbols.has(content, Flag.LOCAL | Flag.SPECIAL | Flag.REACHABLE)


@pytest.mark.parametrize(
    ("buildmode", "name"),
    [("exe", b"the executable"), ("pie", b"the executable"), ("shared", b"o")],
)
def test_what_a_module_was_linked_with(
    buildmode: str, name: bytes, library: Path, tmp_path: Path
) -> None:
    link = sharedlibs.run(given(tmp_path, library, buildmode=buildmode, o="/x/o"))
    link = modulehashes.run(link)
    symbols = link.symbols

    def text(symbol: str) -> bytes:
        return bytes(symbols.data(symbols.lookup(symbol)))

    assert text("go:link.thismodulename") == name
    assert text("go:link.libname.0") == b"libp.so"
    assert text("go:link.linkhash.0") == b"h" * 32
    table = symbols.lookup("go:link.abihashes")
    targets = link.relocs.target[link.relocs.rows_of(table)].tolist()
    assert [symbols.name(sym) for sym in targets] == [
        "go:link.libname.0",
        "go:link.linkhash.0",
        "go:link.abihash.libp.so",
    ]
    assert link.modulehashes.hashes[1:] == (1, 1)


def test_a_link_without_libraries_lists_none(tmp_path: Path) -> None:
    link = modulehashes.run(sharedlibs.run(given(tmp_path)))
    assert (link.modulehashes.name, link.modulehashes.hashes) == ((0, 0), (0, 0, 0))


def test_initialisers_of_a_library(tmp_path: Path) -> None:
    """Those of all packages, those of other libraries too; the list is the library's own."""
    tasks = tuple(
        Sym(name=f"{path}..inittask", type=NOPTRDATA, size=16, data=bytes(16))
        for path in ("p1", "m", "p0", "unnamed")
    )
    link = given(tmp_path, Path("a"), Path("b"), defs=tasks, buildmode="shared")
    link = inittasks.run(link)
    made = link.inittasks[0]
    assert link.symbols.name(made) == "go:shlib.inittasks"
    assert link.symbols.has(made, Flag.LOCAL)
    targets = link.relocs.target[link.relocs.rows_of(made)].tolist()
    names = [link.symbols.name(sym) for sym in targets]
    assert names == ["m..inittask", "p0..inittask", "p1..inittask"]


def descriptor(size: int, ptrdata: int, kind: Kind, *tail: int, mask: int = 0) -> bytes:
    """A type descriptor for 64 bits: its head, then words."""
    head = size.to_bytes(8, "little") + ptrdata.to_bytes(8, "little") + bytes(4)
    head += bytes((0, 0, 0, kind)) + bytes(8) + mask.to_bytes(8, "little") + bytes(8)
    return head + b"".join(word.to_bytes(8, "little") for word in tail)


def test_pointers_of_types_in_a_library(tmp_path: Path) -> None:
    """A struct of an array of pointers and of a word, by the library's relocations and masks."""
    parts = {
        "type:*int": descriptor(8, 8, Kind.POINTER, mask=BASE + 400),
        "type:int": descriptor(8, 0, Kind.INT),
        "type:[2]*int": descriptor(16, 16, Kind.ARRAY, 0, 0, 2),
        "type:struct": descriptor(32, 32, Kind.STRUCT, 0, 0, 2, 2, 0, 0, 8, 0, 0, 0),
    }
    data, defs, at = b"", [], {}
    for name, content in parts.items():
        at[name] = len(data)
        defs.append(Def(name, len(content), len(data)))
        data += content
    struct = at["type:struct"] + 48 + 4 * 8
    relocs = [(at["type:[2]*int"] + 48, 0), (struct + 8, 1), (struct + 24 + 8, 2)]
    data = data.ljust(400, b"\0") + b"\1" + bytes(15)
    library = write_library(tmp_path / "libp.so", defs, data, relocs=relocs)
    link = sharedlibs.run(given(tmp_path, library))
    symbols = link.symbols
    types = TypeData(symbols, link.objects, ARCH.ptrsize)
    imported = ImportedTypes(symbols, link.shlibs.items, types.layout)
    ids = [symbols.lookup(name) for name in parts]
    words = PointerWords(types, ids, imported)
    assert words.steps(ids[0]) == [(0, 0, -1)]
    assert words.lacks_pointers(ids[1])
    assert words.steps(ids[2]) == [(0, 0, -1), (1, 1, 1)]
    # Its first field has no pointers; the second lies at its own offset, 0 here.
    assert words.steps(ids[3]) == [(0, 0, -1), (1, 1, 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (descriptor(16, 16, Kind.ARRAY, 0, 0, 2), "can't find relocation at offset 48"),
        (descriptor(8, 8, Kind.POINTER, mask=9 << 40), "in no section"),
        (descriptor(8, 8, Kind.STRUCT, 0, 0, 1 << 40), "type data is cut short"),
        (descriptor(8, 8, Kind.POINTER)[:20], "type data is cut short"),
    ],
    ids=["array", "mask", "struct", "head"],
)
def test_damaged_types_in_a_library(content: bytes, message: str, tmp_path: Path) -> None:
    library = write_library(tmp_path / "libp.so", [Def("type:T", len(content), 0)], content)
    link = sharedlibs.run(given(tmp_path, library))
    types = TypeData(link.symbols, link.objects, ARCH.ptrsize)
    imported = ImportedTypes(link.symbols, link.shlibs.items, types.layout)
    with pytest.raises(InputError) as caught:
        PointerWords(types, [link.symbols.lookup("type:T")], imported)
    assert message in caught.value.render()
