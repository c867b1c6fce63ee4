"""Which host linkers are refused where relocations of one place have to be added up."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH as AMD64
from linkpipe.arches.x86 import ARCH as X86
from linkpipe.errors import HostLinkError
from linkpipe.hostlinker.reloc_sums import check_sums
from linkpipe.tables.extrelocs import ExternalRelocs
from tests.linkpipe.formats.test_elfread import elf_file


def relocs(*places: tuple[int, int]) -> ExternalRelocs:
    """Relocations at these places: section, offset."""
    section, offset = (np.array(column, np.int64) for column in zip(*places, strict=True))
    other = np.zeros(len(places), np.int32)
    columns = (section.astype(np.int16), offset, other, other, offset)
    for column in columns:
        column.setflags(write=False)
    return ExternalRelocs(*columns)


PAIR = relocs((1, 4), (1, 8), (1, 8))
SINGLE = relocs((1, 4), (1, 8), (2, 8))


def signed(path: Path, comment: bytes, arch: Architecture = X86) -> str:
    """An ELF file whose linker left this comment."""
    path.write_bytes(elf_file({".comment": comment}, arch.elf_class, arch.endian))
    return str(path)


@pytest.mark.parametrize(
    ("comment", "named"),
    [
        (b"clang version 19.1.7\0Linker: LLD 19.1.7\0", "LLD 19.1.7"),
        (b"Linker: LLD 14.0.6\0", "LLD 14.0.6"),
        (b"mold 1.10.1 (compatible with GNU ld)\0GCC: (Debian 12.2.0-14) 12.2.0\0", "mold 1.10.1"),
    ],
)
def test_a_linker_that_keeps_one_is_refused(comment: bytes, named: str, tmp_path: Path) -> None:
    path = signed(tmp_path / "p.so", comment)
    with pytest.raises(HostLinkError, match=rf"the host linker, {named}, keeps one") as raised:
        check_sums(X86, PAIR, path, ["cc"])
    assert "for 386" in raised.value.message
    assert "-fuse-ld=bfd" in raised.value.remedy


@pytest.mark.parametrize(
    "comment", [b"", b"GCC: (Debian 12.2.0-14) 12.2.0\0", b"clang LLDB\0", b"unmold 3\0"]
)
def test_others_are_not(comment: bytes, tmp_path: Path) -> None:
    check_sums(X86, PAIR, signed(tmp_path / "p.so", comment), ["cc"])


def test_what_is_no_whole_file_says_nothing(tmp_path: Path) -> None:
    """Flags can make something else of the output (-r, -###, a map)."""
    path = tmp_path / "p.so"
    whole = Path(signed(path, b"Linker: LLD 14.0.6\0")).read_bytes()
    for cut in (0, 10, 60, len(whole) - 1):
        path.write_bytes(whole[:cut])
        check_sums(X86, PAIR, str(path), ["cc"])


def test_nothing_is_asked_where_no_sums_are_needed(tmp_path: Path) -> None:
    """One relocation a place, or an architecture whose pairs mean something else: the file is not
    even opened."""
    nowhere = str(tmp_path / "nowhere")
    check_sums(X86, SINGLE, nowhere, ["cc"])
    check_sums(AMD64, PAIR, nowhere, ["cc"])
    with pytest.raises(OSError, match="nowhere"):
        check_sums(attrs.evolve(AMD64, sums=True), PAIR, nowhere, ["cc"])
