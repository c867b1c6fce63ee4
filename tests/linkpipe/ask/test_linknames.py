"""References by linkname."""

from __future__ import annotations

from linkpipe.ask.linknames import linknames
from tests.linkpipe.ask.links import QUIET, linked


def test_references_by_linkname_are_those_of_the_output() -> None:
    """One for each package and symbol, sorted; from another package than the symbol's."""
    link = linked(QUIET)
    found = linknames(link)
    pairs = [(each.package, each.target) for each in found]
    assert pairs == sorted(set(pairs))
    assert ("syscall", "runtime.entersyscall") in pairs
    for each in found:
        assert link.graph.find(each.target) in link.graph
        assert not each.target.startswith(f"{each.package}.")
