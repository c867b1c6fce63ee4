"""The whole shelf in one pipeline: each package's own file, one after the other, so that passes of
strangers meet; what comes out runs as it did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.conformance.oracle import Linked, link_linkpipe, prints, run
from tests.conformance.programs import inputs, table

SHELF = Path(__file__).parent
FOLDERS = sorted(path.parent for path in SHELF.glob("*/pipeline.toml"))
STRIP = ("-s", "-w")


@pytest.fixture
def link(tmp_path: Path) -> Callable[..., Linked]:
    """``link(program)``: it is linked with all of the shelf, in a folder of its own. What the
    examples cannot have of these programs is changed: they are built without -trimpath, and some
    have C code."""
    files = []
    for folder in FOLDERS:
        text = (folder / "pipeline.toml").read_text().replace("policy.toml", "no-cobol.toml")
        check = 'after = "output-final"\n'
        text = text.replace(check, f"{check}options = {{ host_paths = false }}\n")
        files.append(f"{folder.name}.toml")
        (tmp_path / files[-1]).write_text(text)
    # A plugin has none of what runs first in a program.
    order = (SHELF / "order" / "order.txt").read_text()
    (tmp_path / "order.txt").write_text(f"{order}fmt.Sprintf\n")
    (tmp_path / "obfuscate.key").write_bytes(b"a key for the tests, not a secret")
    (tmp_path / "no-cobol.toml").write_text('[[forbid]]\npackage = "cobol/..."\nwhy = "no"\n')
    (tmp_path / "all.toml").write_text(f"extends = {json.dumps(['default', *files])}\n")

    def of(program: str) -> Linked:
        if program == "go":  # all of it is in the standard library
            some = 'key = "obfuscate.key", packages = ["main", "cmd/..."]'
            file = tmp_path / "obfuscate.toml"
            file.write_text(file.read_text().replace('key = "obfuscate.key"', some))
        flags = (*STRIP, f"-pipeline={tmp_path}/all.toml")
        done = link_linkpipe(inputs(table()[program]), flags, tmp_path / program)
        assert (done.status, done.stderr, done.stdout) == (0, "", "")
        assert (tmp_path / "bom.cdx.json").exists()
        renamed = json.loads((tmp_path / "obfuscate.map.json").read_text())["functions"].values()
        own = [name for name in renamed if name.startswith(("main.", "cmd/", "example.test/"))]
        assert own
        with done.output.open("rb") as opened:
            tables = [
                section.data()
                for section in ELFFile(opened).iter_sections()
                if section.name.endswith("gopclntab")
            ]
        assert len(tables) == 1
        # A host has names in its dynamic symbols, too, by which plugins find it.
        assert not [name for name in own if name.encode() + b"\0" in tables[0]]
        assert b".go\0" not in tables[0]
        return done

    return of


@pytest.mark.parametrize("program", ["hello", pytest.param("go", marks=pytest.mark.big)])
def test_a_program_runs_as_before(
    link: Callable[..., Linked], tmp_path: Path, program: str
) -> None:
    """The go command, too, where it asks reflection for fields by their names."""
    plain = link_linkpipe(inputs(table()[program]), STRIP, tmp_path / "plain").output
    ours = link(program).output
    assert prints(table()[program], ours) == prints(table()[program], plain)
    if program == "go":
        asked = ("list", "-f", "{{.ImportPath}} {{.Name}} {{.Deps}}", "fmt")
        told = run(ours, *asked)
        assert told == run(plain, *asked)
        assert told[1].startswith("fmt fmt [")


def test_a_plugin_opens_in_its_host(link: Callable[..., Linked]) -> None:
    """Linked with the same key, one after the other."""
    status, printed = run(link("host").output, link("plugin").output)
    assert status == 0, printed
