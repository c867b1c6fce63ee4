"""Places in functions are found in their source, by the tables of real objects."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from linkpipe.functab.lines import source_frames, source_lines
from tests.conformance.programs import PROGRAMS
from tests.conformance.toolchain import goroot
from tests.reallink import stages

GOROOT = "/go"


def test_calls_are_where_the_source_has_them() -> None:
    """Each call that main.main makes stands in a line that makes it; data is nowhere."""
    link = stages().before["relocate"]
    main = link.symbols.lookup("main.main", 1)
    text = Path(PROGRAMS / "tiny" / "main.go").read_text().splitlines()
    rows, _ = link.relocs.rows_of_many(np.array([main]))
    offsets = link.relocs.offset[rows][link.relocs.size[rows] > 0].tolist()
    places = [(main, offset) for offset in offsets]
    found = source_lines(link.objects, link.symbols, places, link.arch.pc_quantum, GOROOT)
    assert found
    assert {line.rpartition(":")[0] for line in found} == {str(PROGRAMS / "tiny" / "main.go")}
    said = {text[int(line.rpartition(":")[2]) - 1].strip() for line in found}
    assert any("println" in line for line in said), said


def test_functions_of_the_toolchain_and_what_is_no_code() -> None:
    link = stages().before["relocate"]
    symbols = link.symbols
    code, data = symbols.lookup("runtime.mallocgc", 1), symbols.lookup("runtime.zerobase")
    size = int(symbols.size[code])
    places = [(data, 0), (code, 0), (code, size + 4096), (code, size - 1), (data, 4)]
    found = source_lines(link.objects, symbols, places, link.arch.pc_quantum, GOROOT)
    assert found[0] == found[2] == found[4] == ""
    for line in (found[1], found[3]):
        name, _, number = line.rpartition(":")
        assert name.startswith("/go/src/")
        assert name.endswith(".go")
        assert int(number) > 0


def test_one_by_one() -> None:
    """Many places at once give what each gives alone."""
    link = stages().before["relocate"]
    functions = link.text_order[::97].tolist()
    places = [(sym, at) for sym in functions for at in (0, int(link.symbols.size[sym]) // 2)]

    def ask(some: list[tuple[int, int]]) -> list[str]:
        return source_lines(link.objects, link.symbols, some, link.arch.pc_quantum, GOROOT)

    assert ask(places) == [ask([place])[0] for place in places]
    assert ask([]) == []


def test_inlined_calls_lead_from_the_function_to_the_innermost() -> None:
    """Each place is in the function itself first, and each line but the last calls what follows."""
    link = stages().before["relocate"]
    symbols = link.symbols
    function = symbols.lookup("runtime.mallocgc", 1)
    places = [(function, at) for at in range(0, int(symbols.size[function]), 3)]
    quantum = link.arch.pc_quantum
    found = source_frames(link.objects, symbols, places, quantum, str(goroot()))
    assert max(map(len, found)) > 1
    for frames in found:
        assert frames[0].function == function
        for outer, inner in pairwise(frames):
            file, _, number = outer.line.rpartition(":")
            name = symbols.name(inner.function).rpartition(".")[2]
            assert name in Path(file).read_text().splitlines()[int(number) - 1]
    lines = source_lines(link.objects, symbols, places, quantum, str(goroot()))
    assert [frames[-1].line for frames in found] == lines
