"""The house keeps its own rules: what is declared in one place agrees with the others."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from linkpipe.engine.pass_api import Pass
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.flags.settings import _FIELDS, flag_name
from tools import essays

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = [
    p
    for d in ("linkpipe", "passes", "arches", "releases")
    for p in sorted((ROOT / d).rglob("*.py"))
] + [ROOT / "templates" / "__init__.py"]


def modules(folder: str) -> set[str]:
    return {p.stem for p in (ROOT / folder).glob("*.py") if not p.stem.startswith("_")}


def entry_points(group: str) -> dict[str, str]:
    found: dict[str, str] = PROJECT["project"]["entry-points"][group]
    return found


def test_folder_entry_points_and_pipeline_agree() -> None:
    """A pass is a file, an entry point and a line of the default pipeline."""
    declared = entry_points("linkpipe.passes")
    assert set(declared) == modules("passes")
    assert {step.name for step in load_pipeline(str(ROOT / "pipeline.toml")).steps} == set(declared)
    for name, value in declared.items():
        assert value == f"linkpipe.passes.{name}:{name}"


@pytest.mark.parametrize(
    ("path", "run"), essays.passes().items(), ids=lambda value: getattr(value, "stem", "")
)
def test_essays_say_what_is_read_and_provided(path: Path, run: Pass) -> None:
    """As the decorator has it; `python -m tools.essays` mends what disagrees."""
    source = path.read_text()
    assert source == essays.mended(source, run)


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.is_relative_to(ROOT / "passes")], ids=lambda p: p.stem
)
def test_conditions_stand_in_the_pipeline(path: Path) -> None:
    """No pass asks the flags or the mode whether to do anything: that is what `when` is for."""
    asked = [
        node.lineno
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef)
        for node in function.body
        if isinstance(node, ast.If)
        and [ast.unparse(line) for line in node.body] == ["return link"]
        and re.search(r"link\.(mode|options)\b", ast.unparse(node.test))
    ]
    assert asked == []


def test_the_default_pipeline_fits_on_one_screen() -> None:
    """A line for each pass and barrier, with its why, and no more than a screen of them."""
    steps = load_pipeline(str(ROOT / "pipeline.toml")).steps
    assert len({step.place.line() for step in steps}) == len(steps)
    assert all(step.why for step in steps)
    assert len((ROOT / "pipeline.toml").read_text().splitlines()) <= 89


def test_architectures_are_files_and_entry_points() -> None:
    """An architecture is a file and an entry point named like its GOARCH, which may begin with a
    digit, as a module may not."""
    declared = entry_points("linkpipe.arches")
    files = {f"linkpipe.arches.{name}:ARCH" for name in modules("arches")}
    assert sorted(declared.values()) == sorted(files)
    for name, value in declared.items():
        arch = import_module(value.partition(":")[0]).ARCH
        assert name == arch.goarch


def test_every_package_is_shipped() -> None:
    """The list of packages is written out, for passes/ and arches/ are mapped by hand."""
    shipped = set(PROJECT["tool"]["setuptools"]["packages"])
    folders = {p.parent.relative_to(ROOT) for p in (ROOT / "linkpipe").rglob("*.py")}
    expected = {".".join(folder.parts) for folder in folders}
    assert shipped == expected | {
        f"linkpipe.{name}" for name in ("passes", "arches", "releases", "templates")
    }


def test_the_fences_leave_nothing_out() -> None:
    """Contracts name packages and every one of them: a new one must be put into a layer, and is
    kept from passes and architectures like the others."""
    contracts = {each["name"]: each for each in PROJECT["tool"]["importlinter"]["contracts"]}
    layers = contracts["Arrows point down"]
    assert layers["exhaustive"]
    rooms = {name for layer in layers["layers"] for name in layer.split(" : ")}
    top = {p.stem for p in (ROOT / "linkpipe").iterdir() if p.is_dir() or p.suffix == ".py"}
    assert rooms == top - {"__init__", "__main__", "__pycache__"}
    found = contracts["Passes and architectures are found, never named"]
    assert set(found["source_modules"]) == {f"linkpipe.{name}" for name in {*rooms, "__main__"}}


def test_properties_have_one_profile() -> None:
    """tests/conftest.py's: a test with a deadline of its own fails where the machine is busy."""
    files = [p for p in (ROOT / "tests").rglob("*.py") if p.name != "conftest.py"]
    assert [p.name for p in files if re.search(r"\bdeadline\s*=", p.read_text())] == []
    profile = settings()
    assert profile.deadline is None
    assert profile.print_blob


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_imports_a_pass_or_an_architecture_by_name(path: Path) -> None:
    """import-linter holds this too, in `make lint`; here it holds in every test run."""
    wrong = [
        name for name in imported(path) if name.startswith(("linkpipe.passes", "linkpipe.arches"))
    ]
    assert wrong == []


def test_variables_are_in_the_table() -> None:
    """Each LINKPIPE_ variable that code or a Makefile mentions, and no other."""
    folders = ("linkpipe", "passes", "arches", "bin", "tests", "tools", "benchmarks", "examples")
    files = [
        ROOT / "Makefile",
        ROOT / "setup.py",
        *(p for folder in folders for p in (ROOT / folder).rglob("*")),
    ]
    sources = (p.read_text() for p in files if p.suffix in (".py", ".sh", "") and p.is_file())
    used = {name for source in sources for name in re.findall(r"\bLINKPIPE_[A-Z_]*[A-Z]", source)}
    table = (ROOT / "docs" / "variables.md").read_text()
    assert set(re.findall(r"^\| `(LINKPIPE_\w+)`", table, re.MULTILINE)) == used
    for field in _FIELDS.values():
        assert f"| `{field.metadata['variable']}` | `-{flag_name(field)}` |" in table


# Names that Go and psABIs have for architectures, also inside of longer words ("R_X86_64_64").
ARCHITECTURE = re.compile(
    r"(?<![0-9a-f])386(?!\d)|amd64|(?<!\\)x86|arm64|aarch64|(?<![a-z])arm(?![a-z])|(?<![a-z])armv?\d"
    r"|s390|R_390|riscv|(?<![a-z])ppc|powerpc|loong|mips|sparc",
    re.IGNORECASE,
)

# Where Go's own names of things have one in them: lines that are kept, as they are in Go.
GO_NAMES = {
    "passes/linkmode.py": r"\s*\"runtime/race/internal/\w+\",",
}
EVERYWHERE_ELSE = [
    # Generated lists have Go's names of everything.
    *(p for p in SOURCES if "arches" not in p.parts and not p.stem.endswith("_lists")),
    ROOT / "pipeline.toml",
    ROOT / "bin" / "linkpipe-toolexec",
]


@pytest.mark.parametrize("path", EVERYWHERE_ELSE, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_architecture_is_named_outside_arches(path: Path) -> None:
    """What depends on the machine stands in the architecture's own file: not in code, nor in
    strings, and comments do well without, too."""
    own = re.compile(GO_NAMES.get(str(path.relative_to(ROOT)), r"(?!)"))
    lines = enumerate(path.read_text().splitlines(), 1)
    named = [(n, line) for n, line in lines if ARCHITECTURE.search(line)]
    assert [(n, line) for n, line in named if not own.fullmatch(line)] == []


# Passes' names that are words of their own too, in strings of the framework.
OTHER_WORDS = {
    "cgo": "Go's tool, and its comments in an object",
    "dwarf": "the format, in the oracle's own messages",
    "findfunctab": "a field of the module data",
    "fips": "the cryptographic module",
    "gcdata": "a field of the module data",
    "inittasks": "a field of the module data",
    "linkmode": "a flag",
    "linkname": "a directive",
    "load": "to load a plugin",
    "moduledata": "the table that the runtime has",
    "output": "the fact, and the file",
    "pclntab": "the runtime's line tables, as a part of a file",
    "ptab": "a field of the module data",
    "modulehashes": "a field of the module data",
    "reachability": "of symbols: what the graph shows",
    "randlayout": "a flag",
    "strictdups": "a flag",
    "typelinks": "a field of the module data",
    "textsectmap": "a field of the module data",
}


def strings(path: Path) -> list[tuple[int, str]]:
    """The strings of a file that are no docstrings, with their lines."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def named_passes(text: str) -> list[str]:
    """Passes that a string names: by a word that is nothing else, or by what stands before it."""
    passes = modules("passes")
    words = [word for word in re.findall(r"[\w.]+", text) if word in passes - set(OTHER_WORDS)]
    meant = re.findall(r"\b(?:pass|passes|behind|before|after) [`'\"]?([\w.]+)", text)
    return words + [word for word in meant if word in passes]


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.is_relative_to(ROOT / "linkpipe")],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_the_framework_names_no_pass(path: Path) -> None:
    """Who does what is the plan's to say: pipelines can be other than the default one."""
    found = [(line, text) for line, text in strings(path) if named_passes(text)]
    assert found == []
    tree = ast.parse(path.read_text())
    errors = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "PassError"
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    ]
    assert errors == []


def test_names_of_passes_are_recognised() -> None:
    assert set(OTHER_WORDS) <= modules("passes")
    for text in ("elfimage", "move it behind linkmode", "the pass `output` failed", "as hostlink"):
        assert named_passes(text)
    for text in ("write the output", "-linkmode", "a pass that provides `output`", "go:link.x"):
        assert not named_passes(text)


@pytest.mark.parametrize("name", ["386", "amd64", "arm", "arm64", "mipsle", "ppc64le", "s390x"])
def test_names_are_recognised(name: str) -> None:
    """The test above sees what it shall see, and no more."""
    for line in (f'if arch == "{name}":', f"if arch.name == '{name}'", f"# not on {name}"):
        assert ARCHITECTURE.search(line)


def test_every_architecture_is_recognised() -> None:
    """Whoever adds one whose name is new adds it to the pattern."""
    for name in entry_points("linkpipe.arches"):
        assert ARCHITECTURE.search(name)
    for word in ("harmless", "charm", "alarm", "swarm", "0x1386", "a386", "13860", r"\x86"):
        assert not ARCHITECTURE.search(word)


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if "arches" not in p.parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_code_asks_for_an_architectures_name(path: Path) -> None:
    """Names are printed, looked up and compared with objects' own; nothing is decided by them."""
    asked = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        for part in (node.left, *node.comparators)
        if isinstance(part, ast.Attribute)
        and (part.attr == "goarch" or (part.attr == "name" and ast.unparse(part.value) == "arch"))
    ]
    assert asked == []


VERSION = re.compile(r"\b(go)?1\.\d\d\b")


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if "releases" not in p.parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_release_of_go_is_named_outside_releases(path: Path) -> None:
    """Passes ask for what they need (`link.release.…`), never which Go it is. What depends on an
    architecture too stands in its file, under `at_release`."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    docstrings |= {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    named = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and VERSION.search(node.value)
    ]
    assert named == [] or "arches" in path.parts
    asked = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and part.attr == "name"
        and ast.unparse(part.value).endswith("release")
    ]
    assert asked == []
