"""inittasks: packages are initialised after what they import, otherwise by name."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.passes.inittasks import inittasks, schedule
from linkpipe.reloctype import R_ADDR, R_INITORDER
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved

NOPTRDATA = 5


def slow(names: dict[int, bytes], imports: dict[int, list[int]]) -> list[int]:
    """The smallest of all valid orders, by trying them all."""
    valid = [
        order
        for order in permutations(imports)
        if all(order.index(b) < order.index(task) for task in imports for b in imports[task])
    ]
    return list(min(valid, key=lambda order: [names[task] for task in order], default=()))


tasks = st.integers(1, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {task: st.lists(st.integers(0, n - 1), max_size=3) for task in range(n)}
    )
)


@given(tasks, st.permutations([b"a", b"b", b"b/c", b"b.c", b"z", b"\xc3\xa9"]))
def test_schedule_is_the_smallest_order(imports: dict[int, list[int]], keys: list[bytes]) -> None:
    """As long as there is no cycle; else what is on it, or behind it, is left out."""
    names = dict(enumerate(keys))
    order = schedule(names, imports)
    expected = slow(names, imports)
    if expected:
        assert order == expected
    else:
        assert len(order) < len(imports)
        assert all(before in order for task in order for before in imports[task])


def task(package: str, *imports: int, functions: int = 1) -> Sym:
    size = 8 + 8 * functions
    relocs = tuple(Reloc(0, 0, R_INITORDER, (goobj.PKG_SELF, i)) for i in imports)
    name = f"{package}..inittask"
    return Sym(name=name, type=NOPTRDATA, size=size, data=bytes(size), relocs=relocs)


def run(folder: Path, *syms: Sym, **flags: Any) -> Link:
    return inittasks.run(resolved(folder, [Obj("p", defs=syms)], **flags))


def listed(link: Link, sym: int) -> list[str]:
    """What a list of tasks points to, in order."""
    rows = link.relocs.rows_of(sym)
    assert link.relocs.offset[rows].tolist() == list(range(0, 8 * (rows.stop - rows.start), 8))
    assert set(link.relocs.type[rows]) <= {R_ADDR}
    assert set(link.relocs.size[rows]) <= {8}
    return [link.symbols.name(target) for target in link.relocs.target[rows].tolist()]


def test_lists_of_a_program(tmp_path: Path) -> None:
    variable = Sym(name="runtime.runtime_inittasks", type=9, size=24)
    link = run(
        tmp_path,
        task("main", 1, 2),
        task("b", 3),
        task("a", 3, functions=0),  # orders others, has nothing to run
        task("runtime", 4),
        task("z"),
        task("unrelated"),
        variable,
    )
    symbols = link.symbols
    main, runtime = link.inittasks
    assert symbols.name(main) == "go:main.inittasks"
    assert symbols.lookup("go:main.inittasks") == 0  # private to the link
    assert (runtime, len(symbols)) == (main + 1, main + 2)
    assert listed(link, main) == [
        "z..inittask",
        "runtime..inittask",
        "b..inittask",
        "main..inittask",
    ]
    assert listed(link, runtime) == ["z..inittask", "runtime..inittask"]
    assert int(symbols.size[main]) == 32
    assert symbols.kind[main] == SymKind.SNOPTRDATA
    slice_ = symbols.lookup("runtime.runtime_inittasks")
    assert bytes(symbols.data(slice_)) == bytes(8) + (2).to_bytes(8, "little") * 2
    assert symbols.kind[slice_] == SymKind.SNOPTRDATA
    assert link.relocs.target[link.relocs.rows_of(slice_)].tolist() == [runtime]
    assert symbols.check() == link.relocs.check() == []


def test_a_plugin_has_a_list_of_its_own(tmp_path: Path) -> None:
    mode = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=True)
    link = run(
        tmp_path,
        task("main"),
        task("example%2ecom/x%2ey"),
        task("example.com/x%2ey"),
        mode=mode,
        buildmode="plugin",
        pluginpath="example.com/x.y",
    )
    main, runtime = link.inittasks
    assert runtime == 0
    assert link.symbols.name(main) == "go:plugin.inittasks"
    assert link.symbols.has(main, Flag.LOCAL)
    assert listed(link, main) == ["example.com/x%2ey..inittask"]


@pytest.mark.parametrize("buildmode", ["exe", "pie", "c-shared", "c-archive"])
def test_what_has_a_main_package_has_its_list(buildmode: str, tmp_path: Path) -> None:
    link = run(tmp_path, task("main"), buildmode=buildmode)
    assert link.symbols.name(link.inittasks[0]) == "go:main.inittasks"
    assert listed(link, link.inittasks[0]) == ["main..inittask"]


def test_nothing_to_initialise(tmp_path: Path) -> None:
    link = run(tmp_path, Sym(name="main.main", type=1, abi=1, size=1, data=b"c"))
    assert link.inittasks == (0, 0)


def test_a_cycle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"inittask for a\.\.inittask is not schedulable") as e:
        run(tmp_path, task("main", 1), task("a", 2), task("b", 1))
    assert e.value.exit_status == 2
