"""A pass says what is to stay in a program that nothing needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.api import Flag, Link, UserError, extra_roots, linkpass
from tests.inserted import link_with_pass

UNUSED = "strings.(*Reader).ReadByte"


@linkpass(name="keep", requires=("symbols",), provides=("extra_roots",))
def keep(link: Link) -> Link:
    """Keep a method that nobody calls."""
    return link.evolve(extra_roots=extra_roots(link.symbols, [UNUSED], "asked for"))


def test_what_is_asked_for_stays_with_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """And whoever asks why is told; -dumpdep names it among the roots."""
    out = tmp_path / "out"
    link = link_with_pass(
        monkeypatch, keep, "inittasks", out, program="features", flags=("-dumpdep",), until="graph"
    )
    assert b"_ -> %b\n" % UNUSED.encode() in capfdbinary.readouterr().out
    sym = link.symbols.lookup(UNUSED, 1)
    assert link.symbols.has(sym, Flag.REACHABLE)
    assert (sym, "asked for") in link.graph.roots
    without = link_with_pass(
        monkeypatch, nothing, "inittasks", out, program="features", until="graph"
    )
    assert not without.symbols.has(sym, Flag.REACHABLE)
    assert set(without.symbols.reachable()) < set(link.symbols.reachable())


@linkpass(name="nothing", requires=("symbols",))
def nothing(link: Link) -> Link:
    """Do nothing; a name that there is not is refused."""
    with pytest.raises(UserError, match="no.such is to be kept"):
        extra_roots(link.symbols, ["no.such"], "asked for")
    return link
