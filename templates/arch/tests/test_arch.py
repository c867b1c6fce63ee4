"""The architecture: what it does to bytes, and a link for it. linkpipe.testing brings the fixture;
the go command has to be on PATH."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from linkpipe.api import Link, Places
from linkpipe_sample.loong64 import ARCH, R_CALLLOONG64


def test_a_call() -> None:
    """`bl` forward by 0x1000 bytes: the distance in instructions, in two parts."""
    image = np.frombuffer(bytes.fromhex("00000054"), np.uint8).copy()
    one = np.zeros(1, np.int64)
    places = Places(image, one, one + 0x10000, one + 0x11000, one, one, one, 4, 0, 0)
    value = ARCH.relocs[R_CALLLOONG64].value
    assert value is not None
    assert value(places).tolist() == [0x54000000 | 0x400 << 10]


def test_a_link(linked: Callable[..., Link], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a program that the go command compiles for it."""
    monkeypatch.setenv("GOARCH", ARCH.goarch)
    monkeypatch.setenv("CGO_ENABLED", "0")
    image = bytes(linked().image)
    assert image[:4] == b"\x7fELF"
    assert int.from_bytes(image[18:20], "little") == ARCH.elf_machine
