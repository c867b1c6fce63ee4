"""References by linkname."""

from __future__ import annotations

from linkpipe.ask.linknames import linknames
from tests.linkpipe.ask.links import PULLS, QUIET, linked


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


def test_variables_are_found() -> None:
    """One that is declared without content pulls another package's, whichever of both the link
    takes; one that its own package marks is no pull."""
    pairs = {(each.package, each.target) for each in linknames(linked(PULLS))}
    other = "looking.test/pulls/other"
    assert ("main", f"{other}.hidden") in pairs
    assert ("main", f"{other}.filled") in pairs
    assert not [target for _, target in pairs if target.endswith(".marked")]
    assert other not in {package for package, _ in pairs}
