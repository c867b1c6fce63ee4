"""The benchmark's picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from benchmarks.plot import medians, passes_svg


def test_medians_keep_the_order_of_passes() -> None:
    links = [{"load": 1.0, "resolve": 5.0}, {"load": 3.0, "resolve": 4.0}, {"load": 2.0}]
    assert list(medians(links).items()) == [("load", 2.0), ("resolve", 4.0)]


def test_every_pass_has_its_row_and_every_program_its_column() -> None:
    """A pass that only the second program runs stands where it runs."""
    picture = passes_svg(
        {"hello": [{"a<b": 0.001, "c": 0.002}], "plugin": [{"a<b": 0.0, "x": 0.5, "c": 0.25}]},
        "Time & space",
    )
    root = ET.fromstring(picture)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:5] == ["Time & space (ms)", "a<b", "x", "c", "total"]
    assert "500.0" in texts
    assert "750" in texts
