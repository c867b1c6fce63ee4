"""A variant of an architecture is a pass before all others (docs/adding-an-architecture.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe import api
from linkpipe.symkind import SymKind
from tests.conformance.oracle import prints
from tests.conformance.programs import table
from tests.conformance.toolchain import ROOT
from tests.inserted import link_with_pass


def test_the_guide_s_variant_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Functions stand where it says, and the program runs."""
    guide = (ROOT / "docs/adding-an-architecture.md").read_text()
    (source,) = re.findall(r"```python\n(@linkpass.*?)```", guide, re.DOTALL)
    names: dict[str, Any] = {"attrs": attrs, "Link": api.Link, "linkpass": api.linkpass}
    exec(source, names)
    out = tmp_path / "out"
    link = link_with_pass(monkeypatch, names["wide"], "", out, flags=("-w",))
    symbols = link.symbols
    functions = link.text_order[symbols.kind[link.text_order] == SymKind.STEXT]
    assert len(functions) > 1000
    assert not np.any(symbols.value[functions] % 64)
    assert prints(table()["hello"], out)[0] == 0
