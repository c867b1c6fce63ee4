"""Small programs to ask about, linked as far as a question needs; kept for the whole run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from linkpipe import api
from linkpipe.observe.check import Check
from tests.conformance.programs import Inputs, Program, inputs
from tests.conformance.toolchain import goroot

PROGRAMS = Path(__file__).parent / "programs"
MODULE = "looking.test"

QUIET = Program("quiet", PROGRAMS, "./quiet")
DEEP = Program("deep", PROGRAMS, "./deep")
TEMPLATE = Program("template", PROGRAMS, "./template")
ITERATORS = Program("iterators", PROGRAMS, "./iterators")
PULLS = Program("pulls", PROGRAMS, "./pulls")
SEVERAL = Program("several", PROGRAMS, "./several")
WITH_PLUGIN = Program("withplugin", PROGRAMS, "./withplugin", cgo=True)


@cache
def linked(program: Program, until: str = "graph") -> api.Link:
    """The link of a program, up to a fact."""
    given = inputs(program)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    arguments = [*given.flags, "-o", "/dev/null", str(given.main)]
    return api.link(arguments, until=until, variables=variables, observers=[Check()])


@contextmanager
def whole(
    program: Program, *flags: str, observers: Iterable[api.Observer] = ()
) -> Iterator[api.Link]:
    """The whole link of a program, whose file is there until the end."""
    given = inputs(program)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    arguments = [*given.flags, *flags, str(given.main)]
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/out"
        yield api.link(arguments, output=output, variables=variables, observers=observers)


def response_file(program: Program, folder: Path) -> str:
    """``@FILE`` for the arguments of a program's link."""
    given: Inputs = inputs(program)
    file = folder / "args"
    file.write_text("\n".join(f'"{arg}"' for arg in (*given.flags, str(given.main))))
    return f"@{file}"
