"""Source files of functions."""

from __future__ import annotations

import numpy as np

from linkpipe.ask.sources import source_files
from tests.linkpipe.ask.links import DEEP, linked


def test_a_functions_own_file_comes_first() -> None:
    link = linked(DEEP)
    ids = [
        link.graph.find(name)
        for name in ("main.main", "reflect.Value.MethodByName", "type:*string")
    ]
    main, method, none = source_files(link, np.array([*ids[:2], 0]))
    assert main[0].endswith("/programs/deep/main.go")
    assert method[0] == "$GOROOT/src/reflect/value.go"
    assert none == ()
