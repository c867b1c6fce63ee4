"""The format by itself. linkpipe.testing brings the fixture; the go command has to
be on PATH."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

from linkpipe.api import Link
from linkpipe_sample.formats import CSV


class Table:
    """Two rows."""

    def rows(self) -> Iterator[dict[str, object]]:
        """Them."""
        yield {"name": "main.main", "size": 42}
        yield {"name": "main.other", "size": 7}


def test_it_writes_rows() -> None:
    file = io.StringIO()
    CSV.write(Table(), file, {}, re.compile("other"))
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [["name", "size"], ["main.other", "7"]]


def test_it_accepts_tables(linked: Callable[..., Link]) -> None:
    link = linked(until="resolve")
    assert CSV.accepts(link.symbols)
    assert not CSV.accepts(link.mode)
