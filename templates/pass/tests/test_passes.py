"""The pass by itself and in its pipeline. linkpipe.testing brings the fixtures; the go command
has to be on PATH."""

from __future__ import annotations

from collections.abc import Callable

from linkpipe.api import Link
from linkpipe_sample import PIPELINE
from linkpipe_sample.passes import CountOptions, count

Linked = Callable[..., Link]


def test_it_counts(linked: Linked, run_pass: Linked) -> None:
    counts = run_pass(count, linked(until="reachability")).fact("sample.functions")
    assert counts["main"] >= 1
    assert counts["runtime"] > 1000
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_its_option(linked: Linked, run_pass: Linked) -> None:
    options = CountOptions(least=100)
    counts = run_pass(count, linked(until="reachability"), options).fact("sample.functions")
    assert min(counts.values()) >= 100


def test_its_pipeline_links(linked: Linked) -> None:
    """The whole link, with the pass in its place."""
    link = linked(pipeline=str(PIPELINE))
    assert "main" in link.fact("sample.functions")
    assert len(link.image)
