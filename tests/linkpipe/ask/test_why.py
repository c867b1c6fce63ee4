"""Why something is in the output: chains hold edge by edge, as another reader of archives sees."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from linkpipe import api
from linkpipe.ask.modules import Modules
from linkpipe.ask.reasons import Reason
from linkpipe.ask.why import Makers, Why, why
from linkpipe.errors import UserError
from linkpipe.reloctype import R_KEEP
from linkpipe.tables.symbols import Flag
from tests.conformance.programs import FIRSTCAUSE, Program, inputs, table
from tests.conformance.targets import native
from tests.conformance.toolchain import goroot
from tests.goobj_reader import Definition, definitions
from tests.linkpipe.ask.links import DEEP, PROGRAMS, QUIET, WITH_PLUGIN, linked

LARGER = ("features", "httpserver", "host", "plugin", pytest.param("go", marks=pytest.mark.big))
STEP = 501
"""Of so many symbols one."""


@cache
def read(program: Program) -> dict[str, list[Definition]]:
    """What all archives of a link define, by name."""
    found: dict[str, list[Definition]] = {}
    for archive in inputs(program).archives().values():
        for name, each in definitions(archive).items():
            found.setdefault(name, []).extend(each)
    return found


def holds(program: Program, reason: Reason, merged: frozenset[str] = frozenset()) -> bool:
    """Whether an archive has the relocation, or the auxiliary symbol, that the reason names.
    ``merged`` symbols are found by content: objects may have other names for them."""
    numbers = {name: number for number, name in relocation_names(program).items()}
    for each in read(program).get(reason.source, []):
        if not reason.relocation and (reason.target in each.auxs or reason.target in merged):
            return True
        wanted = (reason.offset, numbers.get(reason.relocation))
        for r in each.relocs:
            named = r.target == reason.target or reason.target in merged
            # In a program that opens plugins, weak calls are as good as others.
            weak = r.weak and not (program.cgo and reason.kind == "call")
            if (r.offset, r.type) == wanted and named and not weak:
                return True
    return False


@cache
def relocation_names(program: Program) -> dict[int, str]:
    """The numbers that objects have for relocations, from the source of the toolchain."""
    text = (goroot() / "src/cmd/internal/objabi/reloctype.go").read_text()
    rows = [line.split("=")[0].split("//")[0].strip() for line in text.splitlines()]
    names = [row.split()[0] for row in rows if row.startswith("R_")]
    return dict(enumerate(names, 1))


NAMES = ("main.main", "fmt.Fprintln", "os.(*File).Write", "fmt.(*pp).printValue", "type:*os.File",
         "reflect.Value.String", "sync.(*Pool).Get", "go:itab.*os.File,io.Writer")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_step_is_a_relocation_of_an_archive(name: str) -> None:
    (answer,) = why(linked(QUIET), name)
    assert answer.reachable
    chain = answer.chain
    assert (chain[0].kind, chain[0].source) == ("root", "")
    assert chain[-1].target == name
    for before, after in pairwise(chain):
        assert before.target == after.source
    checked = [holds(QUIET, each) for each in chain[1:] if each.package]
    assert checked
    assert all(checked), [(each, ok) for each, ok in zip(chain[1:], checked, strict=False)]


def test_all_reasons_are_all_relocations_to_it() -> None:
    """Of symbols that are in the output themselves, and no others."""
    link = linked(QUIET)
    (answer,) = why(link, "fmt.Fprintln", every=True)
    kept = {link.symbols.name(sym) for sym in link.symbols.reachable().tolist()}
    expected = {
        (name, r.offset)
        for name, found in read(QUIET).items()
        for each in found
        for r in each.relocs
        if r.target == "fmt.Fprintln" and name in kept
    }
    assert {(each.source, each.offset) for each in answer.reasons} == expected
    assert {"main.main"} == {source for source, _ in expected}


@pytest.mark.once
@pytest.mark.parametrize("name", LARGER)
def test_chains_hold_for_everything_in_the_output(name: str) -> None:
    """A sample over all kinds of symbols of programs that have all sorts of them."""
    program = table()[name]
    link = linked(program)
    symbols = link.symbols
    ids = [sym for sym in symbols.reachable().tolist()[::STEP] if symbols.name(sym)]
    hashed = symbols.reachable()[symbols.has(symbols.reachable(), Flag.CONTENT_HASHED)].tolist()
    merged = frozenset(symbols.name(sym) for sym in hashed)
    kinds = set()
    for asked in dict.fromkeys(symbols.name(sym) for sym in ids):
        for answer in why(link, asked.replace("*", "?"), limit=20):
            for each in answer.chain:
                kinds.add(each.kind)
                if each.package and each.kind != "map initialiser":
                    assert holds(program, each, merged), each
    assert {"root", "call", "type", "method", "initialiser"} <= kinds


def test_relocations_that_only_keep_have_a_name() -> None:
    assert linked(QUIET).graph.reason(R_KEEP) == "R_KEEP"


def line_of(file: Path, text: str) -> str:
    lines = file.read_text().splitlines()
    (row,) = [i for i, line in enumerate(lines, 1) if text in line]
    return f"{file}:{row}"


def steps(answer: Why) -> list[tuple[str, str]]:
    return [(each.source, each.target) for each in answer.chain if each.own]


def test_steps_have_the_lines_of_their_source() -> None:
    (answer,) = why(linked(DEEP), "looking.test/deep/helper.find")
    main, helper = PROGRAMS / "deep" / "main.go", PROGRAMS / "deep" / "helper" / "helper.go"
    found = {each.target: each for each in answer.chain if each.own}
    assert found["main.run"].line == line_of(main, "func main()")
    assert found["looking.test/deep/helper.Call"].line == line_of(main, "return helper.Call")
    assert found["looking.test/deep/helper.find"].line == line_of(helper, "return find(")
    assert {each.kind for each in found.values()} == {"call"}


def test_an_inlined_call_stands_where_the_user_wrote_it() -> None:
    """fmt.Println is inlined: main calls what it calls, from the line that calls fmt.Println."""
    (answer,) = why(linked(QUIET), "fmt.Fprintln", every=True)
    main = PROGRAMS / "quiet" / "main.go"
    lines = {each.line for each in answer.reasons}
    assert lines == {line_of(main, "measure(square{2})"), line_of(main, '"Named"')}
    for each in answer.reasons:
        assert [inner.function for inner in each.inlined] == ["fmt.Println"]
        file, _, number = each.inlined[0].line.rpartition(":")
        assert "Fprintln" in Path(file).read_text().splitlines()[int(number) - 1]


def test_a_method_is_there_for_a_call_through_an_interface() -> None:
    (answer,) = why(linked(QUIET), "main.square.Area")
    last = next(each for each in reversed(answer.chain) if each.kind == "method")
    assert last.because == "main.measure calls main.shape.Area"


def test_a_method_is_there_by_its_name() -> None:
    (answer,) = why(linked(QUIET), "main.square.Named")
    last = next(each for each in reversed(answer.chain) if each.kind == "method")
    assert last.because == "main.main looks up the method Named"


def test_a_method_is_there_by_reflection() -> None:
    """The function that did it first is named, not one that is there because of it."""
    (answer,) = why(linked(FIRSTCAUSE), "main.gadget.Inspect")
    last = next(each for each in reversed(answer.chain) if each.kind == "method")
    assert last.because == "main.deep may call any exported method by reflection"


def test_a_method_is_there_for_other_modules() -> None:
    (answer,) = why(linked(WITH_PLUGIN), "main.gadget.On")
    last = next(each for each in reversed(answer.chain) if each.kind == "method")
    assert last.because == "other modules may call any method"


def test_what_is_not_in_the_output() -> None:
    """A method that nobody can call, and a package whose code is not used."""
    (answer,) = why(linked(QUIET), "main.square.Perimeter")
    assert (answer.reachable, answer.symbols, answer.chain) == (False, 0, ())


def test_a_package_is_there_for_code_that_uses_it() -> None:
    """Not for its own initialiser, which would be there for the import alone."""
    (answer,) = why(linked(DEEP), "looking.test/deep/helper")
    assert answer.kind == "package"
    assert answer.imports == ("main", "looking.test/deep/helper")
    assert answer.chain[-1].target == "looking.test/deep/helper.Call"
    assert answer.symbols >= 2
    (answer,) = why(linked(QUIET), "internal/poll")
    assert answer.imports[0] == "main"
    assert answer.imports[-1] == "internal/poll"
    assert not answer.chain[-1].target.endswith("..inittask")


def test_a_package_that_is_only_initialised() -> None:
    """What is left is the initialiser, and the chain of imports says why."""
    link = linked(QUIET)
    modules = Modules(link)
    only = [
        answer
        for package in modules.packages
        for answer in why(link, package)
        if answer.reachable and answer.chain[-1].target.endswith("..inittask")
    ]
    for answer in only:
        assert answer.imports


def test_a_module_and_the_main_package_by_its_path() -> None:
    link = linked(DEEP)
    (answer,) = why(link, "looking.test")
    assert (answer.kind, answer.name) == ("module", "looking.test")
    assert answer.reachable
    (answer,) = why(link, "looking.test/deep")
    assert (answer.kind, answer.name) == ("package", "main")
    (answer,) = why(link, "std")
    assert answer.kind == "module"


def test_patterns() -> None:
    """Those in the output come first; brackets and stars in names mean themselves, too."""
    found = why(linked(QUIET), "main.square.?????*")
    kept = [each.reachable for each in found]
    assert kept == sorted(kept, reverse=True)
    names = {each.name: each.reachable for each in found}
    assert names["main.square.Named"]
    assert not names["main.square.Perimeter"]
    assert "main.square.Area" not in names
    assert why(linked(QUIET), "main.square.?????*", limit=1) == (found[0],)
    assert [each.name for each in why(linked(QUIET), "os.(*File).Writ?")] == ["os.(*File).Write"]
    assert [each.name for each in why(linked(QUIET), "os.(*File).Write")] == ["os.(*File).Write"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Fprintln", "fmt.Fprintln"),
        ("fmt.Fprintl", "fmt.Fprintln"),
        ("FMT.fprintln", "fmt.Fprintln"),
        ("os.File.Write", "os.(*File).Write"),
        ("deep/helper", ""),
        ("reflct", "reflect"),
    ],
)
def test_names_that_there_are_not(asked: str, meant: str) -> None:
    with pytest.raises(UserError, match="no symbol, package or module is named") as caught:
        why(linked(QUIET), asked)
    remedy = caught.value.render().splitlines()[-1]
    assert (f"did you mean {meant}" in remedy) if meant else ("did you mean" not in remedy)
    assert caught.value.exit_status == 2


def test_it_is_promised() -> None:
    assert api.why is why
    assert api.Why is Why
    assert api.Reason is Reason


def test_a_symbol_that_the_linker_makes_after_reachability() -> None:
    """The answer is the pass that made it, where somebody has noted that."""
    made = Makers()
    given = inputs(QUIET)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    arguments = [*given.flags, "-o", "/dev/null", str(given.main)]
    link = api.link(arguments, until="findfunctab", variables=variables, observers=[made])
    (answer,) = why(link, "runtime.findfunctab", makers=made.passes)
    assert (answer.made_by, answer.reachable, answer.chain) == ("findfunctab", True, ())
    assert answer.size > 0
    (other,) = why(link, "main.main", makers=made.passes)
    assert (other.made_by, other.chain[-1].target) == ("", "main.main")


def test_before_reachability_nothing_is_known() -> None:
    with pytest.raises(UserError, match="nothing is known yet"):
        why(linked(QUIET, "objects"), "main.main")


def test_main_is_the_package() -> None:
    """A host linker's entry point has that name, too, and is no answer where there is none."""
    (answer,) = why(linked(QUIET), "main")
    assert (answer.kind, answer.reachable) == ("package", True)


@pytest.mark.skipif(native() != "amd64", reason="relocations of C have other names elsewhere")
def test_calls_of_c_code_are_calls() -> None:
    """To other C code, to Go's and to what shared libraries define; a section and what lies in it
    are kept with one another."""
    link = linked(table()["ownc"])
    for name, after in (("qsort", "call"), ("goAdd", "call"), ("visible_a", "data")):
        (answer,) = why(link, name, every=True)
        kinds = {r.kind for r in answer.reasons if r.source == "main(.text)"}
        assert after in kinds, name
    reasons = [r for each in why(link, "main(.text)", every=True) for r in each.reasons]
    inside = [(r.kind, r.relocation) for r in reasons if r.source == "total"]
    assert inside == [("kept with it", "R_HOST")]
    (answer,) = why(link, "qsort")
    assert answer.chain[-1].relocation == "R_X86_64_PLT32"
