"""Damaged copies of link inputs, for the tests of bad input."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs

from linkpipe.formats.goobj import MAGIC
from tests.conformance.programs import Inputs


def copy(inputs: Inputs, folder: Path) -> Inputs:
    """The inputs under another folder: archives as hard links, importcfg rewritten."""
    folder.mkdir(parents=True)
    shutil.copytree(inputs.folder / "pkg", folder / "pkg", copy_function=os.link)
    config = inputs.importcfg.read_text().replace(str(inputs.folder), str(folder))
    (folder / "importcfg").write_text(config)
    argv = tuple(arg.replace(str(inputs.folder), str(folder)) for arg in inputs.argv)
    return attrs.evolve(inputs, folder=folder, argv=argv)


def rewrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's bytes; the file it was hard-linked to keeps its own."""
    data = change(file.read_bytes())
    file.unlink()
    file.write_bytes(data)


def patched(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace the first occurrence, which there must be, by as many bytes."""
    assert len(old) == len(new)

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def with_member(name: str, content: bytes) -> Callable[[bytes], bytes]:
    """Append a member to an archive. (ar itself writes into files that are hard-linked.)"""
    header = f"{name:16}{0:<12}{0:<6}{0:<6}{0o644:<8o}{len(content):<10}`\n".encode()
    return lambda data: data + header + content + b"\0" * (len(content) % 2)


def without(inputs: Inputs, package: str) -> None:
    """Take a package out of the importcfg."""
    lines = inputs.importcfg.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"packagefile {package}=")]
    assert len(kept) == len(lines) - 1
    inputs.importcfg.write_text("".join(kept))


def object_at(data: bytes) -> int:
    """Where the Go object's header starts in an archive."""
    return data.index(MAGIC)


def other_fingerprint(data: bytes) -> bytes:
    """Change the fingerprint that stands after the object's magic."""
    at = object_at(data) + len(MAGIC)
    return data[:at] + bytes(8 * [0xA5]) + data[at + 8 :]
