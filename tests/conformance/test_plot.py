"""The benchmark's pictures."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks.plot import exponent, growth_svg, medians, passes_svg


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


def test_a_power_of_the_size_is_found() -> None:
    points = [(size, 3e-9 * size**1.25) for size in (20_000_000, 27_000_000, 150_000_000)]
    assert exponent(points) == pytest.approx(1.25)


def test_growth_has_a_point_for_each_program_and_a_line_for_each_linker() -> None:
    linear = {"go": (10, 1.0), "compile": (20, 2.0), "x<y": (100, 10.0)}
    flat = {"go": (10, 2.0), "compile": (20, 2.0), "x<y": (100, 2.0)}
    root = ET.fromstring(growth_svg({"linkpipe": linear, "go tool link": flat}, "Time"))
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{space}line"))) == 2
    assert len(list(root.iter(f"{space}circle"))) == 6 + 2  # and the legend
    texts = [text.text for text in root.iter(f"{space}text")]
    assert {"1.00", "0.00", "10.00", "linkpipe", "go tool link"} <= set(texts)
    ends = [float(line.get("y2", "")) for line in root.iter(f"{space}line")]
    assert ends[0] < ends[1]  # the slower one is above
