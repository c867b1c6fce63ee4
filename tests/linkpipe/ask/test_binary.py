"""Sizes in a binary that nobody linked just now: to the last byte, and whatever it holds."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from linkpipe.ask.binary import package_of
from linkpipe.ask.size import BY, Size, size, size_of_file
from linkpipe.errors import InputError, UserError
from linkpipe.formats.elfread import read
from tests.conformance.programs import Program, table
from tests.linkpipe.ask.links import DEEP, QUIET, WITH_PLUGIN, whole

PROGRAMS = (DEEP, WITH_PLUGIN, table()["plugin"], table()["hello-386"], table()["hello-s390x"])


def sizes(found: Size) -> dict[str, int]:
    return {row.name: row.size for row in found.rows}


def code(found: Size) -> dict[str, int]:
    return {row.name: row.code for row in found.rows if row.code}


@pytest.mark.parametrize("flags", [(), ("-s",)], ids=["symbols", "stripped"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
def test_the_sum_is_the_size_of_the_file(program: Program, flags: tuple[str, ...]) -> None:
    with whole(program, *flags) as link:
        total = Path(link.output).stat().st_size
        for by in BY:
            found = size_of_file(link.output, by)
            assert (found.by, found.total) == (by, total)
            assert sum(row.size for row in found.rows) == total
            assert all(row.retained is None and row.size > 0 for row in found.rows)
        assert len(size_of_file(link.output, top=3).rows) == 4


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
def test_functions_of_a_stripped_binary_are_those_of_its_line_tables(program: Program) -> None:
    """Each as large as when symbols are there, but for what fills up to the next."""
    with whole(program) as link:
        known = code(size_of_file(link.output, "symbol"))
    with whole(program, "-s") as link:
        found = code(size_of_file(link.output, "symbol"))
    go = [
        name for name in known if "." in name and not name.startswith(("go:", "type:", "runtime."))
    ]
    assert len(go) > 300
    # Names of instances and of things in vendored paths are written in full in line tables.
    near = [name for name in go if 0 <= found.get(name, 0) - known[name] < 64]
    assert len(near) > 0.9 * len(go)


def test_packages_are_nearly_those_of_the_link() -> None:
    """What packages share is known to a link alone."""
    with whole(DEEP) as link:
        known, found = code(size(link, exact=False)), code(size_of_file(link.output))
    for name in ("runtime", "reflect", "time", "main", "looking.test/deep/helper"):
        assert abs(found[name] - known[name]) < 0.15 * known[name] + 1


def test_sections_and_modules() -> None:
    with whole(DEEP) as link:
        assert sizes(size(link, "section")) == sizes(size_of_file(link.output, "section"))
        modules = sizes(size_of_file(link.output, "module"))
    assert {"std", "looking.test"} <= modules.keys()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("net/http.(*Server).Serve", "net/http"),
        ("main.main.func1", "main"),
        ("type:*net/http.Server", "net/http"),
        ("type:func(net/http.Handler)", "(shared by packages)"),
        ("type:.eq.[2]string", "(shared by packages)"),
        ("slices.SortFunc[go.shape.[]a/b.T,go.shape.int]", "slices"),
        ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3"),
        ("go:itab.*os.File,io.Writer", "(made by the linker)"),
        ("go:main.inittasks", "(made by the linker)"),
        ("_start", "(made by the linker)"),
    ],
)
def test_the_package_that_a_name_begins_with(name: str, package: str) -> None:
    assert package_of(name) == package


def test_a_file_that_is_not_from_go(tmp_path: Path) -> None:
    """A program of C: sections and symbols are what they are."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler
    source = tmp_path / "a.c"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run([compiler, "-o", str(tmp_path / "a"), str(source)], check=True)
    for by in BY:
        found = size_of_file(tmp_path / "a", by)
        assert sum(row.size for row in found.rows) == (tmp_path / "a").stat().st_size


def test_what_is_no_binary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("#!/bin/sh\n")
    with pytest.raises(InputError, match="not an ELF file"):
        size_of_file(tmp_path / "text")
    with pytest.raises(UserError, match="cannot add up by 'colour'"):
        size_of_file(tmp_path / "text", "colour")


@pytest.mark.parametrize("flags", [(), ("-s", "-w")], ids=["symbols", "stripped"])
def test_damaged_binaries_are_refused_or_add_up(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """Headers, symbols and the runtime's line tables with bytes changed, and files cut short."""
    with whole(QUIET, *flags) as link:
        data = Path(link.output).read_bytes()
        file = read(link.output)
    table = file.index(".gopclntab")
    assert table is not None
    start, length = (int(file.sections[name][table]) for name in ("offset", "size"))
    places = [
        range(64),
        range(file.header["shoff"], file.header["shoff"] + file.sections.nbytes),
        range(start, start + 200),
        range(start, start + length),
        range(len(data)),
    ]
    refused = 0
    for seed in range(40):
        dice = random.Random(seed)
        changed = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            changed[dice.choice(dice.choice(places))] = dice.choice((0, 1, 127, 128, 255))
        if seed % 5 == 0:
            del changed[dice.randrange(len(changed)) :]
        path = tmp_path / "damaged"
        path.write_bytes(changed)
        for by in ("package", "module", "symbol", "section"):
            try:
                found = size_of_file(path, by)
            except InputError:
                refused += 1
                continue
            assert found.total == len(changed) == sum(row.size for row in found.rows)
            assert all(row.size > 0 for row in found.rows)
    assert refused > 10
