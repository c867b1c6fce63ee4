"""The lists of a Go release: what the linker has to know of it that is nothing but data.

They are read from the toolchain's source, whichever way it is laid out there, and written as one
module beside the release's own file; a test holds them to the toolchain:

    python -m tools.release GOROOT        # writes releases/goNNN_lists.py, says what changed
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

_HEAD = '''"""Lists of Go {name}, made from its source by `python -m tools.release`: do not edit."""

from __future__ import annotations

from linkpipe.release import Lists

LISTS = Lists(
'''


class Source:
    """The Go files of a toolchain, by their place below src/."""

    def __init__(self, goroot: Path) -> None:
        self.src = goroot / "src"
        self.version = (goroot / "VERSION").read_text().split()[0]

    @property
    def name(self) -> str:
        """The release: "1.27" for go1.27.3."""
        found = re.match(r"go(\d+\.\d+)", self.version)
        if found is None:
            raise ValueError(f"{self.version} is no version of Go")
        return found[1]

    def part(self, file: str, start: str, end: str) -> str:
        """What stands between two lines of a file, without comments."""
        text = re.sub(r"//.*", "", (self.src / file).read_text())
        begin = text.index(start) + len(start)
        return text[begin : text.index(end, begin)]

    def strings(self, file: str, start: str, end: str = "\n}") -> list[str]:
        """The string constants of such a part."""
        return re.findall(r'"([^"]*)"', self.part(file, start, end))


def relocs(source: Source) -> list[str]:
    """Names of relocation types; the first one has number 1."""
    return _named(source, "cmd/internal/objabi/reloctype_string.go")[1:]


def object_kinds(source: Source) -> list[str]:
    """Symbol kinds by their number in objects."""
    return _named(source, "cmd/internal/objabi/symkind_string.go")


def _named(source: Source, file: str) -> list[str]:
    found = {
        int(n): name for name, n in re.findall(r"x\[(\w+)-(\d+)\]", (source.src / file).read_text())
    }
    return [found.get(n, "") for n in range(max(found) + 1)]


def flag2(source: Source) -> list[str]:
    """What the bits of a symbol's second byte of flags mean, from bit 0 on."""
    text = source.part("cmd/internal/goobj/objfile.go", "SymFlagUsedInIface = 1 << iota", ")")
    return ["UsedInIface", *re.findall(r"SymFlag(\w+)", text)]


def builtins(source: Source) -> list[str]:
    """Builtin symbols by number, "!" before those of ABI0."""
    text = (source.src / "cmd/internal/goobj/builtinlist.go").read_text()
    return [
        ("" if abi == "1" else "!") + name for name, abi in re.findall(r'\{"([^"]*)", (\d)\}', text)
    ]


def blocked_linknames(source: Source) -> dict[str, list[str]]:
    """Packages (joined by blanks) -> the names that they alone may pull by linkname."""
    text = source.part("cmd/link/internal/loader/loader.go", "var blockedLinknames", "\n}")
    found = defaultdict(list)
    for name, packages in re.findall(r'"([^"]+)":\s*\{([^}]*)\}', text):
        found[" ".join(re.findall(r'"([^"]+)"', packages))].append(name)
    return {packages: sorted(names) for packages, names in sorted(found.items())}


def runtime_packages(source: Source) -> list[str]:
    """The packages that the runtime is made of, for the linker."""
    file, function = "cmd/link/internal/ld/data.go", "func isRuntimeDepPkg"
    if function in (source.src / file).read_text():
        # Before it asked the compiler's list: a switch, and two prefixes.
        names = source.strings(file, function)
        if names:
            return [name for name in names if name != "_test"]
    return source.strings("cmd/internal/objabi/pkgspecial.go", "var runtimePkgs")


def experiments(source: Source) -> list[str]:
    """All experiments, in the order in which objects name them."""
    text = source.part("internal/goexperiment/flags.go", "type Flags struct", "\n}")
    return [name.lower() for name in re.findall(r"^\t(\w+) +bool$", text, re.MULTILINE)]


def baseline(source: Source) -> list[str]:
    """Those that are on by default, but for the ones that follow the register ABI."""
    text = source.part("internal/buildcfg/exp.go", "goexperiment.Flags{", "}")
    names = [name.lower() for name in re.findall(r"^\t+(\w+):", text, re.MULTILINE)]
    return [name for name in names if not name.startswith("regabi")]


def flags(source: Source) -> list[str]:
    """The flags of its linker."""
    text = source.part("cmd/link/internal/ld/main.go", "var (", "objabi.Flagparse")
    names = re.findall(r'(?:flag\.\w+|objabi\.Flag\w+)\((?:&[\w.]+, )?"([a-zA-Z]\w*)"', text)
    return sorted([*names, "V"])  # -V is every tool's


def module(source: Source) -> str:
    """The module of a release's lists."""
    lines = [_HEAD.format(name=source.name)]
    for name, words in (
        ("relocs", relocs(source)),
        ("object_kinds", object_kinds(source)),
        ("flag2", flag2(source)),
        ("runtime_packages", runtime_packages(source)),
        ("experiments", experiments(source)),
        ("baseline", baseline(source)),
        ("flags", flags(source)),
    ):
        lines.append(f'    {name}="""\n{_wrapped(words, 8)}\n    """,\n')
    listed = "\n".join(builtins(source))
    lines.append(f'    builtins="""\n{listed}\n""",\n')
    lines.append("    blocked_linknames=(\n")
    for packages, names in blocked_linknames(source).items():
        lines.append(f'        ("{packages}", """\n{_wrapped(names, 12)}\n        """),\n')
    lines.append("    ),\n)\n")
    return "".join(lines)


def _wrapped(words: Iterable[str], indent: int = 4) -> str:
    margin = " " * indent
    return textwrap.fill(
        " ".join(words), 100, initial_indent=margin, subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def changes(old: str, new: str) -> list[str]:
    """What changed from one module of lists to another, list by list, in words."""
    told = []
    before, after = _values(old), _values(new)
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name, []), after.get(name, [])
        for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag != "equal":
                told += [f"{name}: without {word}" for word in a[i:j]]
                told += [f"{name}: with {word}" for word in b[k:m]]
    return told


def _values(text: str) -> dict[str, list[str]]:
    """The words of each list of a module."""
    if not text:
        return {}
    (call,) = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.keywords
    ]
    found = {}
    for keyword in call.keywords:
        strings = [n.value for n in ast.walk(keyword.value) if isinstance(n, ast.Constant)]
        separator = "\n" if keyword.arg == "builtins" else None  # a type's name has blanks
        words = [word for s in strings if isinstance(s, str) for word in s.strip().split(separator)]
        found[keyword.arg or ""] = words
    return found


def file_of(name: str) -> Path:
    """Where the lists of a release stand."""
    return ROOT / "releases" / f"go{name.replace('.', '')}_lists.py"


def main(argv: Sequence[str]) -> int:
    """Write the lists of one toolchain."""
    if len(argv) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    source = Source(Path(argv[0]))
    file, new = file_of(source.name), module(source)
    old = file.read_text() if file.exists() else ""
    file.write_text(new)
    print(f"{file.relative_to(ROOT)}: {source.version}")
    if old:
        print("\n".join(changes(old, new)) or "nothing changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
