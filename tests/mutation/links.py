"""The five smallest links of the comparison, in this process, so that their lines can be told.

Not collected with the other tests: mutants that those do not notice come here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.cli.link import main
from tests.conformance import oracle
from tests.conformance.programs import Program, inputs, key, table
from tests.conformance.toolchain import cache, link_tool

SMALLEST = [program for name, program in table().items() if program.base == "hello"]


@pytest.mark.parametrize("program", SMALLEST, ids=lambda program: program.name)
def test_links_the_same(program: Program, tmp_path: Path) -> None:
    """The bytes of the oracle, and nothing said."""
    given = inputs(program)
    folder = cache() / "mutants" / "oracle" / f"{program.name}-{key(program)}"
    if not (folder / "out").exists():
        oracle.link_oracle(given, ["-compressdwarf=false"], folder)
    ours = tmp_path / "out"
    words = [*given.flags, "-compressdwarf=false", "-o", str(ours), str(given.main)]
    assert main(words, str(link_tool()), given.environment()) == 0
    assert ours.read_bytes() == (folder / "out").read_bytes()
