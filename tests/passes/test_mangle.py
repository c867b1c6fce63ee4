"""mangle: which names are replaced by a hash, and by which."""

from __future__ import annotations

import base64
import hashlib

import pytest

from linkpipe.passes.mangle import mangled_name
from linkpipe.testing.links import release


def digest(text: bytes) -> bytes:
    raw = hashlib.sha256(text).digest()
    return base64.b64encode(bytes([raw[0] ^ 0xFF]) + raw[1:6])


@pytest.mark.parametrize(
    "name",
    [
        b"main.main",
        b"type:int",
        b"type:*[]string",  # 14 characters: short enough
        b"type:runtime.moduledata_and_more",
        b"go:string.type:a@b",
        b"runtime.mapassign_faststr",
    ],
)
def test_names_that_are_kept(name: bytes) -> None:
    assert mangled_name(name, release()) == name


@pytest.mark.parametrize(
    ("name", "mangled"),
    [
        (b"type:map[string]int", b"type:" + digest(b"map[string]int")),
        (b"type:.eq.[2]interface {}", b"type:." + digest(b".eq.[2]interface {}")),
        (b"type:a@b", b"type:" + digest(b"a@b")),
        (b"main.F[main.T@1]", b"main.F[" + digest(b"main.T@1") + b"]"),
        (b"main.F[a[b@1]].func1", b"main.F[" + digest(b"a[b@1]") + b"].func1"),
        (b"main.x@y", digest(b"main.x@y")),
    ],
)
def test_names_that_are_replaced(name: bytes, mangled: bytes) -> None:
    assert mangled_name(name, release()) == mangled


def test_earlier_releases_take_other_bytes_of_the_hash() -> None:
    raw = hashlib.sha256(b"map[string]int").digest()
    mangled = mangled_name(b"type:map[string]int", release("1.24"))
    assert mangled == b"type:" + base64.b64encode(raw[4:10])
