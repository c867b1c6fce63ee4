"""dwarfcompress: debug sections become smaller, and expand to what they were."""

from __future__ import annotations

import zlib
from typing import Any, Literal

import attrs
import numpy as np
import pytest

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.arches.arm import ARCH as ARM
from linkpipe.arches.s390x import ARCH as BIG
from linkpipe.engine.context import Link
from linkpipe.passes import dwarfcompress as module
from linkpipe.passes.dwarfcompress import dwarfcompress
from linkpipe.tables.sections import Section, Sections, Segment

NONE = np.zeros(0, np.int32)
NONE.setflags(write=False)
PARTS = {
    ".debug_info": b"the same again and " * 200,
    ".debug_gdb_scripts": b"\1/go/src/runtime/runtime-gdb.py\0",
    ".debug_line": bytes(3000),
}


def linked(arch: Architecture, before: int = 4096 + 100) -> Link:
    """An image with a segment of text, and the debug sections behind it."""
    items, at = [Section(".text", "text", 5, NONE, 16, 0x1000, 100)], 0x5000
    for name, content in PARTS.items():
        items.append(Section(name, "dwarf", 4, NONE, 1, at, len(content), packed=True))
        at += len(content)
    size = at - 0x5000
    segments = (
        Segment("text", 5, (0,), 0x1000, 100, 4096, 100),
        Segment("dwarf", 6, (1, 2, 3), 0x5000, size, before, size),
    )
    image = np.frombuffer(
        bytes(range(1, 101)).rjust(before, b"\7") + b"".join(PARTS.values()), np.uint8
    )
    return Link({"arch": arch, "image": image, "sections": Sections(tuple(items), segments)})


def file_of(link: Link) -> bytes:
    """The image with what is to lie over it and behind it."""
    content = bytearray(link.image)
    for at, piece in link.overlays:
        content = content.ljust(at + len(piece), b"\0")
        content[at : at + len(piece)] = piece
    return bytes(content)


@pytest.mark.parametrize(
    ("arch", "words", "order"),
    [(ARCH, (4, 4, 8, 8), "little"), (BIG, (4, 4, 8, 8), "big"), (ARM, (4, 4, 4), "little")],
    ids=["amd64", "s390x", "arm"],
)
def test_expands_to_what_it_was(
    arch: Architecture, words: tuple[int, ...], order: Literal["little", "big"]
) -> None:
    """Behind a header that says how, how large, and how aligned (Elf32_Chdr, Elf64_Chdr)."""
    before, after = linked(arch), dwarfcompress.run(linked(arch))
    segment, file = after.sections.segment("dwarf"), file_of(after)
    at = segment.fileoff
    for row, content in zip(segment.sections, PARTS.values(), strict=True):
        section = after.sections[row]
        assert section.vaddr - segment.vaddr + segment.fileoff == at
        raw = file[at : at + section.size]
        at += section.size
        assert section.compressed is (section.name != ".debug_gdb_scripts")
        if not section.compressed:
            assert (raw, section.align) == (content, 1)
            continue
        head = [
            int.from_bytes(raw[sum(words[:i]) : sum(words[: i + 1])], order)
            for i in range(len(words))
        ]
        zeros = [0] if len(words) == 4 else []
        assert head == [1, *zeros, len(content), arch.load_align]
        assert section.align == arch.load_align
        assert zlib.decompress(raw[sum(words) :]) == content
        assert len(raw) < len(content)
    assert at == len(file) == segment.fileoff + segment.filesize
    assert segment.size == segment.filesize
    assert after.image.tobytes() == before.image[:4196].tobytes()


def test_what_lies_over_the_image_already_stays() -> None:
    """The seal of the FIPS module stands before debug information."""
    link = linked(ARCH).evolve(overlays=((4100, b"seal"),))
    assert dwarfcompress.run(link).overlays[0] == (4100, b"seal")
    assert file_of(dwarfcompress.run(link))[4100:4104] == b"seal"


def test_threads_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes which section."""
    alone = file_of(dwarfcompress.run(linked(ARCH)))
    monkeypatch.setattr(module, "_FEW", 0)
    for count in ("1", "2", "64"):
        monkeypatch.setenv("LINKPIPE_THREADS", count)
        assert file_of(dwarfcompress.run(linked(ARCH))) == alone


def test_every_machine_gives_these_bytes() -> None:
    """The compressor's output is part of a program that others build again: an update of it that
    gives other bytes is seen here."""
    content = b"".join(b"%d:%d;" % (n, n * n % 977) for n in range(2000))
    packed = module._compress([memoryview(content)], [b""])[0]
    assert zlib.decompress(packed) == content
    assert (len(packed), f"{zlib.crc32(packed):08x}") == (7843, "9565cd0e")


def test_sections_keep_their_other_properties() -> None:
    before, after = linked(ARCH), dwarfcompress.run(linked(ARCH))
    for old, new in zip(before.sections.items, after.sections.items, strict=True):
        fields: dict[str, Any] = {"vaddr": 0, "size": 0, "align": 0, "compressed": False}
        assert attrs.asdict(attrs.evolve(old, **fields)).keys() == attrs.asdict(new).keys()
        assert (old.name, old.segment, old.rwx, old.packed) == (
            new.name,
            new.segment,
            new.rwx,
            new.packed,
        )
