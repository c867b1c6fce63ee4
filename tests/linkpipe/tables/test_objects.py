"""Objects: records of many symbols are read by several threads, and nobody sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkpipe.arrays.threads import VARIABLE
from linkpipe.formats import goobj
from linkpipe.tables.objects import RELOC_DTYPES, RelocColumns, UndefinedBuiltins
from linkpipe.tables.relocs import Relocs
from linkpipe.testing.objects import Obj, Reloc, Sym
from tests.passes.test_resolve import TEXT, resolved

THREADS = ["1", "2", "3"]


def symbol(number: int, *targets: tuple[int, int]) -> Sym:
    relocs = tuple(Reloc(4 * i, 4, 1, target) for i, target in enumerate(targets))
    auxs = tuple((goobj.AUX_GOTYPE + i % 2, target) for i, target in enumerate(targets))
    return Sym(name=f"p.f{number}", type=TEXT, size=16, data=b"f" * 16, relocs=relocs, auxs=auxs)


def rows(columns: Any) -> list[list[Any]]:
    return [column.tolist() for column in columns]


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(count: str) -> None:
        monkeypatch.setenv(VARIABLE, count)
        monkeypatch.setattr("linkpipe.arrays.threads._MANY", 2)

    return use


def test_threads_read_the_same(tmp_path: Path, several: Any) -> None:
    """The relocations, those that follow them, and the auxiliary symbols: each in its order."""
    own = goobj.PKG_SELF
    defs = tuple(symbol(i, *((own, j) for j in range(i % 4))) for i in range(30))
    _, objects = resolved(tmp_path, [Obj("p", defs=defs)])
    local = np.arange(30)[::-1]
    of = np.ones(30, np.int64)
    more = objects.relocs(of[:3], local[:3])
    found = []
    for count in THREADS:
        several(count)
        found.append((rows(objects.relocs(of, local, more)), rows(objects.auxs(of, local))))
    counts = [i % 4 for i in local.tolist()]
    relocs, auxs = found[0]
    assert relocs[0] == counts + counts[:3]
    assert auxs[0] == counts
    ids = objects.local_to_id[objects.local_base[1] :].tolist()
    targets = [ids[j] for count in counts for j in range(count)]
    assert auxs[2] == targets
    assert relocs[-1] == targets + [ids[j] for count in counts[:3] for j in range(count)]
    assert found[1:] == found[:1] * 2
    assert len(relocs) == len(RelocColumns._fields)


def test_what_is_read_has_room_behind_it(tmp_path: Path) -> None:
    """Passes add relocations of other symbols; to copy all for that would touch memory twice."""
    defs = tuple(symbol(i, (goobj.PKG_SELF, 0)) for i in range(30))
    _, objects = resolved(tmp_path, [Obj("p", defs=defs)])
    found = objects.relocs(np.ones(30, np.int64), np.arange(30))
    table = Relocs.gather(99, np.arange(30), found)
    more = objects.relocs(np.ones(3, np.int64), np.arange(3))
    longer = table.extended(np.arange(30, 33), more)
    assert len(longer) == 33
    for name in RELOC_DTYPES:
        assert np.shares_memory(getattr(longer, name), getattr(table, name))


def test_threads_find_the_same_undefined_symbols(tmp_path: Path, several: Any) -> None:
    """They are named by their place among all, whoever read them."""
    defs = tuple(symbol(i, *[(goobj.PKG_BUILTIN, 0)] * (i in (4, 17, 29))) for i in range(30))
    _, objects = resolved(tmp_path, [Obj("p", defs=defs)])
    for count in THREADS:
        several(count)
        with pytest.raises(UndefinedBuiltins) as undefined:
            objects.relocs(np.ones(30, np.int64), np.arange(30), needed=False)
        assert undefined.value.locals.tolist() == [4, 17, 29]
