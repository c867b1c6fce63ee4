"""fips: the checksum, and where it is written."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.engine.context import Link
from linkpipe.errors import InputError, PipelineError
from linkpipe.output.fips import checksum
from linkpipe.passes.fips import fips
from linkpipe.passes.relocate import relocate
from linkpipe.symkind import SymKind
from tests.tiny import INTERNAL, Tiny


def slow(parts: list[bytes]) -> bytes:
    """RFC 2104 by hand, key of 32 zero bytes."""
    text = b"go fips object v1\n"
    text += b"".join(len(p).to_bytes(8, "big") + p for p in parts)
    inner = hashlib.sha256(b"\x36" * 64 + text).digest()
    return hashlib.sha256(b"\x5c" * 64 + inner).digest()


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_checksum(parts: list[bytes]) -> None:
    """HMAC-SHA-256 over header, lengths and contents."""
    assert checksum([memoryview(p) for p in parts]) == slow(parts)


def program() -> Tiny:
    """A program with something in each part of the module."""
    p = Tiny(INTERNAL)
    ids: dict[str, list[int]] = {}
    for part, kind in (
        ("text", SymKind.STEXT),
        ("rodata", SymKind.SRODATA),
        ("noptrdata", SymKind.SNOPTRDATA),
        ("data", SymKind.SDATA),
    ):
        names = (f"go:{part}fipsstart", f"fips.{part}", f"go:{part}fipsend")
        ids[part] = [p.symbol(name, kind=kind, content=part.encode()) for name in names]
    info = p.symbol("go:fipsinfo", kind=SymKind.SFIPSINFO, content=bytes(48))
    p.section(".text", 0x401000, ids["text"], rwx=5)
    p.section(".rodata", 0x402000, ids["rodata"], rwx=4)
    p.section(".go.fipsinfo", 0x403000, [info])
    p.section(".noptrdata", 0x403040, ids["noptrdata"])
    p.section(".data", 0x403100, ids["data"])
    return p


def sealed(link: Link) -> bytes:
    """The 48 bytes of go:fipsinfo with what the pass puts over them."""
    link = fips(relocate(link))
    ((at, seal),) = link.overlays
    image, start = bytearray(link.image), link.sections.segment("data").fileoff
    image[at : at + len(seal)] = seal
    return bytes(image[start : start + 48])


def test_sum_stands_behind_the_magic() -> None:
    """Each part counts from the start marker, which belongs to it, to the end marker."""
    parts = [name.encode() * 2 for name in ("text", "rodata", "noptrdata", "data")]
    assert sealed(program().link()) == bytes(16) + slow(parts)


def test_a_program_without_the_record() -> None:
    """Where the pipeline has no fipsload, there is nothing to seal."""
    p = Tiny(INTERNAL)
    p.section(".data", 0x403100, [p.symbol("main.v", kind=SymKind.SDATA, content=b"data")])
    assert fips(relocate(p.link())).overlays == ()


def test_markers_outside_of_their_segment() -> None:
    """Markers of another toolchain's layout are refused, not hashed anyhow."""
    p = program()
    end = p.symbols.lookup("go:datafipsend")
    p.symbols.set(end, value=0x500000)
    p.sections[-1] = p.sections[-1].__class__(
        ".data", "data", 6, p.sections[-1].symbols[:2], 16, 0x403100, 12
    )
    with pytest.raises(InputError, match="not in expected segment"):
        sealed(p.link())


def test_markers_that_were_made_too_late_to_be_laid_out() -> None:
    """As in a pipeline in which fipsload runs behind symtab."""
    p = program()
    link = p.link()
    edit = link.symbols.edit()
    edit.set(link.symbols.lookup("go:textfipsstart"), section=-1)
    with pytest.raises(PipelineError, match="got go:textfipsstart in no section"):
        fips(relocate(link).evolve(symbols=edit.freeze()))
