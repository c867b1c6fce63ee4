"""The observer, told of a link. linkpipe.testing brings the fixture; the go command has to be on
PATH."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from linkpipe.api import Link
from linkpipe_sample.observers import Sizes, SizesOptions


def test_it_writes_a_line_for_each_link(linked: Callable[..., Link], tmp_path: Path) -> None:
    file = tmp_path / "sizes.json"
    observer = Sizes(SizesOptions(file=str(file)))
    observer.on_end(linked())
    observer.on_end(linked())
    first, second = map(json.loads, file.read_text().splitlines())
    assert first == second
    assert first["sections"][".text"] > 100_000
