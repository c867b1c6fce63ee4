"""harden: on real programs, finished by linkpipe and by the C compiler's linker."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from elftools.elf.elffile import ELFFile
from linkpipe_harden.check import HardenOptions, _host_paths, _paths, _problems

from linkpipe import api
from linkpipe.errors import LinkErrors

CHECK = 'after = "output-final"'
SET = f'before = "load"\n[[insert]]\nname = "harden.check"\n{CHECK}'
NO_PATHS = "{ host_paths = false }"


@pytest.mark.parametrize(
    "program", ["hello", "hello-arm64", pytest.param("go", marks=pytest.mark.big)]
)
def test_static_programs_pass_and_paths_are_found(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str
) -> None:
    """They hold the paths of GOROOT and of the tests, for they are not built with -trimpath; a
    link that is refused leaves no file."""
    with pytest.raises(LinkErrors) as caught:
        link_with(program, "harden.check", CHECK)
    (found,) = caught.value.errors
    assert "a path of this machine is in ." in found.message
    assert "-trimpath" in found.remedy
    assert not (tmp_path / "out").exists()
    link_with(program, "harden.check", CHECK, NO_PATHS)
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("program", ["host", "plugin", "host-arm64"])
def test_what_is_set_is_there(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str
) -> None:
    """Where the C compiler's linker finishes: with harden.set all holds, whatever it does by
    itself; what the user says it to do all the same is refused, by name."""
    link_with(program, "harden.set", SET, NO_PATHS)
    with (tmp_path / "out").open("rb") as file:
        kinds = [segment["p_type"] for segment in ELFFile(file).iter_segments()]
    assert "PT_GNU_RELRO" in kinds
    before = (tmp_path / "out").read_bytes()
    weak = "-extldflags=-Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -Wl,--build-id=none"
    with pytest.raises(LinkErrors) as caught:
        link_with(program, "harden.set", SET, NO_PATHS, (weak,))
    told = caught.value.render()
    for words in ("(no relro)", "(no now)", "its stack is executable", "no GNU build id"):
        assert words in told
    assert (tmp_path / "out").read_bytes() == before


def test_a_segment_that_is_both_is_refused(
    link_with: Callable[..., api.Link], tmp_path: Path
) -> None:
    """Writable and executable, and a stack without a word about it."""
    link_with("hello", "harden.check", CHECK, NO_PATHS)
    data = bytearray((tmp_path / "out").read_bytes())
    elf = ELFFile(io.BytesIO(data))
    for number, segment in enumerate(elf.iter_segments()):
        at = elf["e_phoff"] + number * elf["e_phentsize"]
        if segment["p_type"] == "PT_LOAD":
            data[at + 4] = 7
        elif segment["p_type"] == "PT_GNU_STACK":
            data[at] = 0
    found = dict(_problems(bytes(data), HardenOptions(), ("/no/such",)))
    assert set(found) == {"no_rwx", "noexecstack"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\0/go/src/a.go\0", "/go/src/a.go"),
        (b"\0/go\0", "/go"),
        (b"\0/usr/lib/go\0x/go.mod\0/got\0", ""),
    ],
)
def test_short_paths_and_bare_folders(content: bytes, told: str) -> None:
    """The folder itself counts, as debug information has it, and not what only ends like it."""

    class Section(dict[str, str]):
        name = ".debug_str"

        def data(self) -> bytes:
            return content

    class File:
        def iter_sections(self) -> list[Section]:
            return [Section(sh_type="SHT_PROGBITS")]

    found = _host_paths(cast("ELFFile", File()), ("/go",))
    assert found == (f"a path of this machine is in .debug_str: {told}" if told else "")


def test_which_paths_are_looked_for(
    link_with: Callable[..., api.Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short ones too, but not "/"; no relative ones."""
    monkeypatch.setenv("HOME", "/")
    link = link_with("hello", "harden.check", CHECK, NO_PATHS, until="load")
    paths = _paths(link, HardenOptions(paths=("/go/", "")))
    assert "/go" in paths
    assert "" not in paths
    with pytest.raises(api.UserError, match=r'"src" is no absolute path'):
        _paths(link, HardenOptions(paths=("src",)))


def test_a_damaged_section_is_no_traceback(
    link_with: Callable[..., api.Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise zlib.error("incorrect header")

    monkeypatch.setattr("linkpipe_harden.check._host_paths", broken)
    with pytest.raises(api.InputError, match="cannot be read: incorrect header"):
        link_with("hello", "harden.check", CHECK)


def test_compressed_sections_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any]
) -> None:
    """Debug information too; with -trimpath nothing is found."""
    build_env(CGO_ENABLED="0")
    (tmp_path / "go.mod").write_text("module harden.test\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    monkeypatch.chdir(tmp_path)
    here = (str(tmp_path),)
    only = HardenOptions(relro=False, now=False, noexecstack=False, no_rwx=False, build_id=False)
    for flags, found in ((("-trimpath",), False), ((), True)):
        api.link(".", output="out", flags=flags)
        data = (tmp_path / "out").read_bytes()
        assert bool(dict(_problems(data, only, here))) == found
        with_debug = ELFFile(io.BytesIO(data)).get_section_by_name(".debug_line")
        assert with_debug is not None
        assert with_debug.compressed
        assert (str(tmp_path).encode() in with_debug.data()) == found
