"""-dumpdep: the listing is the oracle's, for programs with more than a unit test has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import oracle
from tests.conformance.programs import inputs, table
from tests.conformance.tools import need


@pytest.mark.parametrize(
    "name", ["hello", "features", "plugin", "cgoserver", "hello-s390x", "sharedlib", "linkshared"]
)
def test_the_listing_is_the_oracles(name: str, folder: Path) -> None:
    """The same lines in the same order: readers take the first of a kind for the cause."""
    program = table()[name]
    need(program.missing_compiler())
    given = inputs(program)
    theirs = oracle.link_oracle(given, ["-dumpdep"], folder / "theirs")
    ours = oracle.link_linkpipe(given, ["-dumpdep"], folder / "ours")
    assert ours.stdout.splitlines() == theirs.stdout.splitlines()
    assert ours.stderr == theirs.stderr
