"""What is checked of objects when they are loaded, and what when a symbol of theirs is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.tables.objects import Objects
from linkpipe.testing.links import object_format
from tests.conformance.damage import object_at, rewrite
from tests.goobj_writer import HEADER, Obj, Reloc, Sym, write_archive

WHOLE = Obj(
    packages=("q",),
    files=("/src/p.go",),
    defs=(
        Sym(name="p.a", data=b"1234", relocs=(Reloc(0, 4, 1, (goobj.PKG_SELF, 1)),)),
        Sym(name="p.b", data=b"5678", auxs=((goobj.AUX_FUNCDATA, (goobj.PKG_NONE, 0)),)),
    ),
    refs=(Sym(name="elsewhere"),),
)
BINARY = len(f"{HEADER}\n\n\n!\n")


def load(folder: Path, obj: Obj, *patches: tuple[int, int, int]) -> Objects:
    """Load the object with words changed: (block, offset in it in bytes, value). Symbols have
    ids as they come."""
    files = {
        "p": write_archive(folder / "p.a", obj),
        "q": write_archive(folder / "q.a", Obj(package="q", defs=(Sym(name="q.x"),))),
    }

    def change(data: bytes) -> bytes:
        new, start = bytearray(data), object_at(data)
        offsets = goobj.read_header(memoryview(data)[start:], "").offsets
        for block, offset, value in patches:
            at = start + offsets[block] + offset
            new[at : at + 4] = value.to_bytes(4, "little")
        return bytes(new)

    rewrite(folder / "p.a", change)
    loader = PackageLoader(Places(files), files["p"])
    for path, file in files.items():
        loader.add(path, file, "test")
    loader.load()
    objects = loader.freeze(None, object_format())[1]
    return evolve(objects, local_to_id=np.arange(objects.local_base[-1], dtype=np.int32))


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ((goobj.FILE, 0, 1 << 20), "the name of a source file lies outside of the object"),
        ((goobj.PKGIDX, 8, 1 << 20), "reference to nonexistent package"),
        ((goobj.SYMDEF, 21, 1 << 20), "the name of symbol 1 lies outside of the object"),
        ((goobj.NONPKGREF, 0, 1 << 20), "the name of symbol 2 lies outside of the object"),
        ((goobj.SYMDEF, 8, 2), "invalid symbol ABI: 2"),
        ((goobj.SYMDEF, 17, 3), "bad alignment value"),
    ],
)
def test_what_is_wrong_at_once(tmp_path: Path, patch: tuple[int, int, int], words: str) -> None:
    """The oracle reads these of every symbol that there is."""
    with pytest.raises(InputError, match=words) as caught:
        load(tmp_path, WHOLE, patch)
    assert caught.value.file == f"{tmp_path / 'p.a'}(_go_.o)"


def test_an_alignment_that_is_none(tmp_path: Path) -> None:
    """The oracle takes it as a signed number and leaves it at that."""
    assert not len(load(tmp_path, WHOLE, (goobj.SYMDEF, 17, 0x80000001)).faulty)


LATER = [
    # What is changed, the symbol concerned, the words, and the offset in the block named.
    ((goobj.RELOCIDX, 8, 9), 1, "entry in block RelocIndex", goobj.RELOCIDX, 4),
    ((goobj.RELOCIDX, 0, 2), 0, "entry in block RelocIndex", goobj.RELOCIDX, 0),
    ((goobj.AUXIDX, 8, 9), 1, "entry in block AuxIndex", goobj.AUXIDX, 4),
    ((goobj.DATAIDX, 8, 1 << 20), 1, "entry in block DataIndex", goobj.DATAIDX, 4),
    ((goobj.RELOC, 15, 2), 0, "reference to symbol 1 of package index 2", goobj.RELOC, 0),
    ((goobj.RELOC, 19, 3), 0, f"symbol 3 of package index {goobj.PKG_SELF}", goobj.RELOC, 0),
    ((goobj.AUX, 5, 1), 1, f"symbol 1 of package index {goobj.PKG_NONE}", goobj.AUX, 0),
    ((goobj.SYMDEF, 13, 2_000_000_001), 0, "too large (2000000001 bytes)", goobj.SYMDEF, 0),
    ((goobj.AUX, 0, 0xFFFFFF01), 1, "table about a function belongs to", goobj.AUXIDX, 4),
    ((goobj.AUX, 1, 0x80000000), 1, "symbol 0 of package index 2147483648", goobj.AUX, 0),
]


@pytest.mark.parametrize(("patch", "local", "words", "block", "offset"), LATER)
def test_what_is_wrong_when_it_is_needed(
    tmp_path: Path, patch: tuple[int, int, int], local: int, words: str, block: int, offset: int
) -> None:
    """The oracle never sees it in a symbol that the program does not need. Where it is needed, the
    error names file, symbol and place; until then the symbol has nothing that is damaged, and the
    others are whole. Relocations can be had where auxiliary symbols are damaged: of types that only
    debug information wants, the oracle reads nothing else."""
    objects = load(tmp_path, WHOLE, patch)
    symbol, others = (np.array([1]), np.array([local])), (np.array([1]), np.array([1 - local]))
    assert objects.faulty.tolist() == [local]
    sound = block in (goobj.AUXIDX, goobj.AUX, goobj.SYMDEF)
    asked: list[Any] = [objects.refuse, objects.auxs, *([] if sound else [objects.relocs])]
    for ask in asked:
        with pytest.raises(InputError) as caught:
            ask(*symbol)
        error = caught.value
        assert words in str(error)
        assert error.symbol == f"p.{'ab'[local]}"
        assert error.file == f"{tmp_path / 'p.a'}(_go_.o)"
        header = goobj.read_header(objects.arena.view(int(objects.base[1]), 1 << 12), "")
        assert error.offset == BINARY + header.offsets[block] + offset
        ask(*others)
    assert len(objects.relocs(*symbol, needed=False).type) == (sound and local == 0)
    assert len(objects.auxs(*symbol, needed=False).type) == 0
    assert objects.data(*symbol)[1].tolist() == [0 if block == goobj.DATAIDX else 4]
    assert objects.data(*others)[1].tolist() == [4]


def test_what_lies_behind_the_definitions_of_a_package(tmp_path: Path) -> None:
    """By the object itself, as in the oracle, all of its symbols can be referred to, the one of
    its first reference as the third."""
    defs = tuple(evolve(sym, relocs=(Reloc(0, 4, 1, (goobj.PKG_SELF, 2)),)) for sym in WHOLE.defs)
    objects = load(tmp_path, evolve(WHOLE, defs=defs))
    assert not len(objects.faulty)


def test_debug_information_is_passed_over(tmp_path: Path) -> None:
    """In a link that writes none."""
    bad = (Reloc(0, 4, 1, (goobj.PKG_SELF, 9)),)
    archive = write_archive(tmp_path / "p.a", Obj(defs=(Sym(name="d", type=12, relocs=bad),)))
    for debug, faulty in ((True, [0]), (False, [])):
        loader = PackageLoader(Places({"p": archive}), archive)
        loader.add("p", archive, "test")
        loader.load()
        assert loader.freeze(None, object_format(), debug=debug)[1].faulty.tolist() == faulty
