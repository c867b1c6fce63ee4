"""strictdups: what is taken for equal is compared, by the oracle's rules and in its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.errors import LinkErrors
from linkpipe.passes.strictdups import strictdups
from linkpipe.tables.symbols import Flag
from linkpipe.testing.objects import Obj, Sym
from tests.objlink import resolved

DUPOK = int(Flag.DUPOK)


def dup(data: bytes, size: int = 0, name: str = "x", flag: int = DUPOK) -> Sym:
    return Sym(name=name, flag=flag, data=data, size=size or len(data))


def said(
    folder: Path, capfd: pytest.CaptureFixture[str], objects: list[Sym], flag: int = 1
) -> list[str]:
    """One package, p0, p1 \u2026, for each definition; what is said about them."""
    given = [Obj(package=f"p{i}", nonpkg=(sym,)) for i, sym in enumerate(objects)]
    link = resolved(folder, given, strictdups=flag)
    capfd.readouterr()
    strictdups.run(link)
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()


def line(new: int, old: int, why: str, name: str = "x") -> str:
    return (
        f"cmd/link: while reading object for 'p{new}': duplicate symbol '{name}', previous def at "
        f"'p{old}', with mismatched payload: {why}"
    )


def test_equal_definitions_are_not_mentioned(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(tmp_path, capfd, [dup(b"abc"), dup(b"abc"), dup(b"abc")]) == []


def test_differences(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each is compared with the one that is kept so far: the largest."""
    syms = [dup(b"abc"), dup(b"abd"), dup(b"abcd"), dup(b"abc"), dup(b"abcd", 9), dup(b"", 9)]
    assert said(tmp_path, capfd, syms) == [
        line(1, 0, "same length but different contents"),
        line(2, 0, "new length 4 != old length 3"),
        line(3, 2, "new length 3 != old length 4"),
        line(4, 2, "different sizes: new size 9 != old size 4"),
        line(5, 4, "new length 0 != old length 4"),
    ]


def test_a_definition_for_good_ends_the_comparison(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    syms = [dup(b"abc"), dup(b"abd"), dup(b"xyz", flag=0), dup(b"abe")]
    assert said(tmp_path, capfd, syms) == [line(1, 0, "same length but different contents")]


def test_two_makes_them_errors(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LinkErrors) as caught:
        said(tmp_path, capfd, [dup(b"abc"), dup(b"abd")], flag=2)
    first, remedy = caught.value.shown("link").splitlines()
    assert first == line(1, 0, "same length but different contents")
    assert "rebuild" in remedy
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("name", ["go:info.go.interface.x", "go:debuglines"])
def test_debug_information_of_wrappers_may_differ(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said, and does not fail the link."""
    syms = [dup(b"abc", name=name), dup(b"abd", name=name)]
    why = line(1, 0, "same length but different contents", name)
    assert said(tmp_path, capfd, syms, flag=2) == [why]


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("xy"), st.sampled_from([b"", b"a", b"b", b"ab"]), st.booleans()),
        max_size=7,
    )
)
def test_one_by_one(
    rows: list[tuple[str, bytes, bool]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Against the rule as the oracle follows it, symbol by symbol, as long as definitions for
    good are not in conflict."""
    kept: dict[str, tuple[int, bytes, bool]] = {}
    want: list[Any] = []
    syms: list[Any] = []
    for name, data, any_will_do in rows:
        _, before, free = kept.get(name, (0, b"", True))
        if not any_will_do and not free:
            continue
        new = len(syms)
        syms.append(dup(data, 2, name, DUPOK if any_will_do else 0))
        if name not in kept or not any_will_do:
            kept[name] = (new, data, any_will_do)
        elif free and data != before:
            why = "same length but different contents"
            if len(data) != len(before):
                why = f"new length {len(data)} != old length {len(before)}"
            want.append(line(new, kept[name][0], why, name))
    assert said(tmp_path, capfd, syms or [dup(b"")]) == want
