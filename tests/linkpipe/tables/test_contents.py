"""Symbols that are found by their content: what hashes alike is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved

RODATA, DATA = 3, 7
NAMED = (Sym(name="a"), Sym(name="b"))
FIRST = Reloc(0, 4, 1, (goobj.PKG_NONE, 0))
ONE = Sym(name="one", type=RODATA, size=8, data=b"content", hash=b"H", relocs=(FIRST,))


def link(folder: Path, part: str, one: Sym, other: Sym) -> tuple[str, int]:
    """Two packages with a symbol of the same hash: the name and the size of what it becomes."""
    parts: list[dict[str, Any]] = [{part: (sym,)} for sym in (one, other)]
    objects = [Obj(f"p{i}", refs=NAMED, **symbols) for i, symbols in enumerate(parts)]
    done = resolved(folder, objects)
    ids = done.objects.local_to_id[done.objects.local_base[1:3]].tolist()
    assert ids[0] == ids[1]
    return done.symbols.name(ids[0]), int(done.symbols.size[ids[0]])


@pytest.mark.parametrize("part", ["hashed64", "hashed"])
@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"data": b"Content"}, "content"),
        ({"data": b"content!"}, "content"),
        ({"data": b"conten"}, "content"),
        ({"relocs": ()}, "number of relocations"),
        ({"relocs": (FIRST, FIRST)}, "number of relocations"),
        ({"relocs": (attrs.evolve(FIRST, offset=4),)}, "offset of a relocation"),
        ({"relocs": (attrs.evolve(FIRST, size=8),)}, "size of a relocation"),
        ({"relocs": (attrs.evolve(FIRST, type=2),)}, "type of a relocation"),
        ({"relocs": (attrs.evolve(FIRST, type=1 | goobj.WEAK),)}, "type of a relocation"),
        ({"relocs": (attrs.evolve(FIRST, add=1),)}, "addend of a relocation"),
        ({"relocs": (attrs.evolve(FIRST, ref=(goobj.PKG_NONE, 1)),)}, "symbol of a relocation"),
    ],
)
def test_equal_hashes_of_what_differs_are_an_error(
    tmp_path: Path, part: str, fields: dict[str, Any], what: str
) -> None:
    """References to one would get the other, in silence."""
    with pytest.raises(InputError, match=f"differs from it in {what}$") as error:
        link(tmp_path, part, ONE, attrs.evolve(ONE, **fields))
    assert error.value.expected == f"SRODATA of 8 bytes, symbol 0 of {tmp_path / '0.a'}(_go_.o)"
    assert error.value.file == f"{tmp_path / '1.a'}(_go_.o)"


@pytest.mark.parametrize("part", ["hashed64", "hashed"])
def test_one_content_may_have_two_kinds(tmp_path: Path, part: str) -> None:
    """Go 1.24 compiles such constants: one for the FIPS module, one for another package."""
    assert link(tmp_path, part, ONE, attrs.evolve(ONE, name="other", type=DATA)) == ("one", 8)


@pytest.mark.parametrize("part", ["hashed64", "hashed"])
def test_zeros_at_the_end_make_no_difference(tmp_path: Path, part: str) -> None:
    """The compiler leaves them out, or not; the larger symbol is taken (loader.go, addSym)."""
    other = attrs.evolve(ONE, name="other", size=12, data=b"content\0\0\0")
    assert link(tmp_path, part, ONE, other) == ("other", 12)
    assert link(tmp_path, part, other, ONE) == ("other", 12)


def test_a_symbol_that_refers_to_itself_is_like_its_twin(tmp_path: Path) -> None:
    itself = attrs.evolve(ONE, relocs=(Reloc(0, 4, 1, (goobj.PKG_HASHED, 0)),))
    assert link(tmp_path, "hashed", itself, itself) == ("one", 8)
