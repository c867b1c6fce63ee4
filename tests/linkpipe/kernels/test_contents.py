"""kernels/contents.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.formats import goobj
from linkpipe.kernels.contents import LEFT_OUT, WITH_RELOCS
from linkpipe.testing.objects import Obj, Reloc, Sym, write_object
from tests.kernels import forms

DEBUG, STICKY = 12, 0x0402
FLAG2 = [(n * 3) & 0xFF for n in range(256)]
FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
BEFORE = 5

symbols = st.builds(
    Sym,
    type=st.sampled_from([1, 3, DEBUG]),
    flag=st.integers(0, 255),
    flag2=st.integers(0, 255),
    size=st.sampled_from([0, 1, 2, 2**32 - 1]),
    align=st.sampled_from([0, 1, 8, 2**31, 2**32 - 1]),
    data=st.sampled_from([b"", b"\0", b"a", b"a\0", b"aaaaaaaab", b"aaaaaaaab\0\0", b"aaaaaaaa"]),
    relocs=st.sampled_from([(), (), (Reloc(0, 4, 1, (0, 0)),), (Reloc(0, 4, 1, (0, 0)),) * 2]),
    # Few hashes, many clashes; some share a half, and some are one of 8 bytes and zeros.
    hash=st.sampled_from([b"", b"a", b"b", b"aaaaaaaa", b"aaaaaaaab", b"b" * 16, b"\xff" * 16]),
)
several = st.lists(symbols, max_size=5).map(tuple)
objects = st.builds(Obj, defs=several, hashed64=several, hashed=several, nonpkg=several)


def given_of(many: list[Obj], damaged: list[int]) -> dict[str, Any]:
    """What the kernel is given of these objects, behind the row that is none."""
    data, blocks, classes = bytearray(BEFORE), [[0] * goobj.NBLOCKS], [[0] * 5]
    for obj in many:
        header = goobj.read_header(memoryview(write_object(obj)), "a")
        blocks.append([len(data) + at for at in header.offsets])
        classes.append([*map(len, (obj.defs, obj.hashed64, obj.hashed, obj.nonpkg, obj.refs))])
        data += write_object(obj)
    debug = np.zeros(256, np.uint8)
    debug[DEBUG] = 1
    return {
        "data": np.frombuffer(bytes(data), np.uint8),
        "blocks": np.array(blocks).reshape(-1),
        "local": np.append(0, np.cumsum(np.sum(classes, axis=1))),
        "classes": np.array(classes).reshape(-1),
        "flag2": np.array(FLAG2, np.uint8),
        "debug": debug,
        "damaged": np.array(damaged, np.int64),
    }


def slowly(
    many: list[Obj], damaged: list[int], *, debug: bool
) -> tuple[list[int], list[int], int, int]:
    """First, noted, and the first place that differs and that has another number of relocations."""
    first: list[int] = []
    noted: list[int] = []
    differs = miscounts = -1
    seen: dict[tuple[int, bytes], tuple[int, Sym]] = {}
    for obj in many:
        for size, syms in enumerate((obj.defs, obj.hashed64, obj.hashed, obj.nonpkg)):
            for sym in syms:
                place, note = len(first), 0
                first.append(-1)
                noted.append(0)
                if size in (0, 3) or (sym.type == DEBUG and not debug):
                    continue
                key = size, sym.hash[: 8 * size].ljust(16, b"\0")
                first[place], other = seen.setdefault(key, (place, sym))
                if first[place] == place:
                    continue
                a, b = (
                    (s.size, s.align if s.align < 2**31 else 0, s.flag | FLAG2[s.flag2] << 8)
                    for s in (sym, other)
                )
                if a[0] <= b[0] and a[1] <= b[1] and not a[2] & ~b[2] & STICKY:
                    note |= LEFT_OUT
                if not {place, first[place]} & set(damaged):
                    if len(sym.relocs) != len(other.relocs):
                        miscounts = place if miscounts < 0 else miscounts
                    elif sym.relocs:
                        note |= WITH_RELOCS
                    if sym.data.rstrip(b"\0") != other.data.rstrip(b"\0") and differs < 0:
                        differs = place
                noted[place] = note
    return first, noted, differs, miscounts


def found(
    contents: Any, columns: dict[str, Any], parts: int = 1, *, debug: bool = True
) -> tuple[list[int], list[int], int, int]:
    """The same by the kernel, part after part."""
    total = int(columns["local"][-1])
    first, noted = np.full(total, -1, np.int32), np.zeros(total, np.uint8)
    bad = [
        contents.group(*columns.values(), debug, STICKY, *FACTORS, part, parts, first, noted)
        for part in range(parts)
    ]
    least = [min((at for at in column if at >= 0), default=-1) for column in zip(*bad, strict=True)]
    return first.tolist(), noted.tolist(), least[0], least[1]


@forms("contents")
@settings(max_examples=200)
@given(st.lists(objects, max_size=4), st.data(), st.sampled_from([1, 2, 8]), st.booleans())
def test_symbols_with_one_hash_are_found(
    contents: Any, many: list[Obj], draw: st.DataObject, parts: int, debug: bool
) -> None:
    """What is left out of them, and which differ: as one by one, in any number of parts."""
    rows = sum(len(part) for obj in many for part in (obj.defs, obj.hashed64, obj.hashed))
    damaged = sorted(draw.draw(st.sets(st.integers(0, max(0, rows - 1)), max_size=3)))
    columns = given_of(many, damaged)
    assert found(contents, columns, parts, debug=debug) == slowly(many, damaged, debug=debug)


@forms("contents")
@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("step", [1, 1 << 20, 1 << 40, 1 << 52])
def test_hashes_that_differ_in_few_bits_are_told_apart(
    contents: Any, step: int, parts: int
) -> None:
    """More than one batch of them, each twice."""
    keys = [(i * step % 2**64).to_bytes(8, "little") for i in range(200)]
    obj = Obj(hashed64=tuple(Sym(hash=key) for key in keys + keys))
    first, noted, *bad = found(contents, given_of([obj], []), parts)
    assert first == [*range(200)] * 2
    assert noted == [0] * 200 + [LEFT_OUT] * 200
    assert bad == [-1, -1]


OBJECT = Obj(hashed64=(Sym(data=b"x", hash=b"x"),) * 2, hashed=(Sym(hash=b"y"),))


@forms("contents")
@pytest.mark.parametrize("block", ["SYMDEF", "HASH64", "HASH", "RELOCIDX", "DATAIDX", "DATA"])
@pytest.mark.parametrize("at", [-1, 10**6])
def test_what_lies_outside_of_its_bytes_is_an_error(contents: Any, block: str, at: int) -> None:
    """Whoever calls it: nothing is read that is not there."""
    columns = given_of([OBJECT], [])
    columns["blocks"][goobj.NBLOCKS + getattr(goobj, block)] = at
    with pytest.raises(IndexError, match="lie"):
        found(contents, columns)


@forms("contents")
def test_arguments_that_do_not_fit_each_other_are_errors(contents: Any) -> None:
    columns = given_of([OBJECT], [])
    for short in ("blocks", "local", "classes", "flag2", "debug"):
        with pytest.raises(ValueError, match="differ in length"):
            found(contents, columns | {short: columns[short][:-1]})
    rows = np.zeros(3, np.int32), np.zeros(3, np.uint8)
    for factor, part, parts in ((2, 0, 1), (1, 1, 1), (1, -1, 1), (1, 0, 3)):
        with pytest.raises(ValueError, match="no such part"):
            contents.group(*columns.values(), True, 0, factor, 1, 1, part, parts, *rows)
    columns["classes"][7] = 9
    with pytest.raises(IndexError, match="symbols of object 1"):
        found(contents, columns)


@forms("contents")
@given(st.lists(st.integers(0, 2**31 - 1), max_size=20), st.data())
def test_symbols_with_one_hash_share_an_id(contents: Any, ids: list[int], data: Any) -> None:
    first: list[int] = []
    for place in range(len(ids)):
        chosen = data.draw(st.integers(0, place))
        first.append(place if chosen == place else first[chosen])
    shared, cut = np.array(ids, np.int32), data.draw(st.integers(0, len(ids)))
    for part in data.draw(st.permutations([(0, cut), (cut, len(ids))])):
        contents.share(np.array(first, np.int32), shared, *part)
    assert shared.tolist() == [ids[place] for place in first]


@forms("contents")
@pytest.mark.parametrize("wrong", [-1, 2, 2**31 - 1, -(2**31)])
def test_a_first_that_is_not_before_is_an_error(contents: Any, wrong: int) -> None:
    with pytest.raises(IndexError, match="first symbol with the hash of 1 is not before it"):
        contents.share(np.array([0, wrong, 2], np.int32), np.zeros(3, np.int32), 0, 3)
    with pytest.raises(ValueError, match="differ in length"):
        contents.share(np.zeros(2, np.int32), np.zeros(3, np.int32), 0, 2)
    for part in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(ValueError, match="no such places among 3"):
            contents.share(np.zeros(3, np.int32), np.zeros(3, np.int32), *part)
