"""Source files of functions."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.ask import sources
from linkpipe.ask.sources import source_files
from linkpipe.errors import InputError
from linkpipe.tables.functions import Functions, read_functions
from tests.linkpipe.ask.links import DEEP, linked


def test_a_functions_own_file_comes_first() -> None:
    link = linked(DEEP)
    ids = [
        link.graph.find(name)
        for name in ("main.main", "reflect.Value.MethodByName", "type:*string")
    ]
    main, method, none = source_files(link, np.array(ids))
    assert main[0].endswith("/programs/deep/main.go")
    assert method[0] == "$GOROOT/src/reflect/value.go"
    assert none == ()


def test_a_file_that_an_object_does_not_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not another object's, which stands behind its own."""

    def damaged(*given: Any) -> Functions:
        fns = read_functions(*given)
        info = fns.info._replace(files=fns.info.files + 50)
        return attrs.evolve(fns, info=info)

    link = linked(DEEP)
    monkeypatch.setattr(sources, "read_functions", damaged)
    with pytest.raises(InputError, match="source file number 5"):
        source_files(link, np.array([link.graph.find("main.main")]))
