"""What README says of comparing by hand, done."""

from __future__ import annotations

import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tests.conformance.oracle import same
from tests.conformance.programs import PROGRAMS
from tests.conformance.toolchain import ROOT, go

TOOLEXEC = f"-toolexec={Path(sys.executable).parent / 'linkpipe-toolexec'}"
README = (ROOT / "README.md").read_text()


def builds(folder: Path, program: str, flags: str, cgo: str = "0") -> tuple[Path, Path]:
    """A program built by `go build` as it is, and with linkpipe in the place of the linker."""
    theirs, ours = folder / "theirs", folder / "ours"
    for output, more in ((theirs, []), (ours, [TOOLEXEC])):
        go(
            "build",
            *more,
            f"-ldflags={flags}",
            "-o",
            output,
            program,
            cwd=PROGRAMS,
            CGO_ENABLED=cgo,
        )
    return theirs, ours


def sections(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        return {section.name: section.data() for section in ELFFile(file).iter_sections()}


def test_cmp_differs_in_the_build_id_alone(folder: Path) -> None:
    """The go command writes the linker's identity into what it built."""
    theirs, ours = builds(folder, "./hello", "-compressdwarf=false")
    assert not same(theirs, ours)
    left, right = sections(theirs), sections(ours)
    assert left.keys() == right.keys()
    differ = {name for name in left if left[name] != right[name]}
    assert differ == {".note.go.buildid", ".note.gnu.build-id"}


def test_cmp_agrees_without_a_build_id(folder: Path) -> None:
    """With the flags that README names."""
    flags = "-buildid= -compressdwarf=false"
    assert f"flags='{flags}'" in README
    theirs, ours = builds(folder, "./hello", flags)
    assert same(theirs, ours)


def test_static_without_external(folder: Path) -> None:
    """-extldflags has no say where the C code is linked without the host linker."""
    assert "`-extldflags=-static`" in README
    theirs, ours = builds(folder, "./httpserver", "-extldflags=-static", cgo="1")
    assert ".interp" in sections(theirs)
    assert ".interp" in sections(ours)
