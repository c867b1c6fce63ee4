"""Source files of functions."""

from __future__ import annotations

import numpy as np

from linkpipe.ask.sources import source_files
from tests.linkpipe.ask.links import DEEP, PROGRAMS, linked


def test_a_functions_own_file_comes_first() -> None:
    link = linked(DEEP)
    ids = [link.graph.find(name) for name in ("main.main", "fmt.Fprintln", "type:*string")]
    main, print_, none = source_files(link, np.array([*ids[:2], 0]))
    assert main[0] == f"{PROGRAMS}/deep/main.go"
    assert print_[0] == "$GOROOT/src/fmt/print.go"
    assert none == ()
