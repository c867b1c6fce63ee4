"""hostobjects: C objects of packages, and of the C compiler's own libraries."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.flags.options import NOT_RUN
from linkpipe.formats.archive import AR_MAGIC
from linkpipe.formats.elf import STT_NOTYPE
from linkpipe.passes.hostobjects import hostobjects
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import CgoFacts, DynamicImport
from linkpipe.tables.packages import HostObject
from tests.hostelf import CODE, HostElf
from tests.tiny import Tiny


def function(name: str, *calls: str) -> bytes:
    """An object with a function that calls others."""
    made = HostElf()
    text = made.section(".text", CODE, bytes(8 + 8 * len(calls)))
    made.symbol(name, text, 0, 8)
    for at, called in enumerate(calls):
        made.reloc(text, 8 * at, 4, made.symbol(called, type=STT_NOTYPE), -4)
    return made.to_bytes()


def archive(path: Path, *members: tuple[str, bytes]) -> str:
    """A library whose map says that each member defines a symbol."""
    names = b"".join(name.encode() + b"\0" for name, _ in members)
    size = 4 + 4 * len(members) + len(names)
    at, places, body = len(AR_MAGIC) + 60 + size + size % 2, b"", b""
    for _, content in members:
        places += at.to_bytes(4, "big")
        body += _header("x.o/", len(content)) + content + b"\n" * (len(content) % 2)
        at = len(AR_MAGIC) + 60 + size + size % 2 + len(body)
    table = len(members).to_bytes(4, "big") + places + names
    table += b"\0" * (size % 2)
    path.write_bytes(AR_MAGIC + _header("/", size) + table + body)
    return str(path)


def _header(name: str, size: int) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{0:<8}{size:<10}`\n".encode()


def loaded(*objects: bytes, form: str = "elf", **flags: Any) -> Link:
    """The link with these objects in its packages."""
    tiny = Tiny(**flags)
    puts = tiny.symbol("puts", kind=SymKind.SDYNIMPORT)
    imports = {puts: DynamicImport("puts", "libc.so.6", "")}
    content, hosts = b"", []
    for number, data in enumerate(objects):
        name = f"p.a(_x{number}.o)"
        hosts.append(HostObject("p", name, "p.a", len(content), len(data), form, 100 * number))
        content += data
    objects_: Any = SimpleNamespace(
        version=np.array([0, 10, 11]),
        arena=SimpleNamespace(bytes=np.frombuffer(content, np.uint8)),
    )
    packages: Any = SimpleNamespace(host_objects=tuple(hosts))
    facts = CgoFacts((), (), imports, "", dynamic=True)
    return hostobjects.run(tiny.link().evolve(objects=objects_, packages=packages, cgo=facts))


def names(link: Link) -> list[str]:
    return [link.symbols.name(sym) for sym in link.host_text.tolist()]


def test_functions_come_in_the_order_of_objects() -> None:
    """Versions of their sections go on from those of Go's objects."""
    link = loaded(function("f", "g"), function("g"))
    assert names(link) == ["p(.text)", "f", "p(.text)", "g"]
    assert link.symbols.version[link.host_text[[0, 2]]].tolist() == [12, 13]
    first, second = link.host_text[[0, 2]].tolist()
    assert link.host_files == {first: "p.a(_x0.o)", second: "p.a(_x1.o)"}


def test_what_c_defines_is_not_imported() -> None:
    assert len(loaded(function("f", "puts")).cgo.imports) == 1
    link = loaded(function("puts"))
    assert dict(link.cgo.imports) == {}
    assert link.symbols.kind[link.symbols.lookup("puts")] == SymKind.STEXT


def test_the_compilers_library_has_what_is_missing(tmp_path: Path) -> None:
    """Members that define what is undefined, then what those need, each once; no others."""
    libgcc = archive(
        tmp_path / "libgcc.a",
        ("__unused", function("__unused")),
        ("__deeper", function("__deeper", "__div")),
        ("__div", function("__div", "__deeper")),
    )
    link = loaded(function("f", "__div", "puts", "__lost"), libgcc=libgcc)
    assert names(link)[2:] == ["libgcc(.text)", "__div", "libgcc(.text)", "__deeper"]
    assert link.symbols.kind[link.symbols.lookup("__lost")] == SymKind.SXREF


def test_a_library_is_named_as_a_package_would_be(tmp_path: Path) -> None:
    """With what symbols' names cannot have written in hexadecimal digits."""
    path = tmp_path / "libclang_rt.builtins-x86_64.a"
    link = loaded(function("f", "__div"), libgcc=archive(path, ("__div", function("__div"))))
    assert names(link)[2] == "libclang_rt%2ebuiltins-x86_64(.text)"


def test_a_link_that_may_run_no_compiler_says_so() -> None:
    """Otherwise what is in its library would be said to be missing."""
    with pytest.raises(LinkpipeError, match="a saved link runs none"):
        loaded(function("f", "__div"), extld=(NOT_RUN,))
    loaded(function("f"), extld=(NOT_RUN,))


@pytest.mark.parametrize("libgcc", ["none", "/no/such/libgcc.a"])
def test_there_need_not_be_a_library(libgcc: str) -> None:
    assert names(loaded(function("f", "__div"), libgcc=libgcc)) == ["p(.text)", "f"]


def test_the_compiler_says_where_its_libraries_are(tmp_path: Path) -> None:
    """Nobody asks it where nothing is missing."""
    archive(tmp_path / "libgcc.a", ("__div", function("__div", "__stack_chk_fail_local")))
    part = ("__stack_chk_fail_local", function("__stack_chk_fail_local"))
    archive(tmp_path / "libc_nonshared.a", part)
    compiler = tmp_path / "cc"
    compiler.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho noise >&2\ncase "$2" in\n'
        f"--print-libgcc-file-name) echo {tmp_path}/libgcc.a ;;\n"
        f"*libc_nonshared.a) echo {tmp_path}/libc_nonshared.a ;;\n*) exit 1 ;;\nesac\n"
    )
    compiler.chmod(0o755)
    loaded(function("f", "puts"), extld=(str(compiler),))
    assert not (tmp_path / "asked").exists()
    link = loaded(function("f", "__div"), extld=(str(compiler),))
    assert names(link)[2:] == [
        *("libgcc(.text)", "__div"),
        *("libc_nonshared(.text)", "__stack_chk_fail_local"),
    ]
    assert (tmp_path / "asked").read_text().splitlines() == [
        "-m64 --print-libgcc-file-name",
        "-m64 --print-file-name=libc_nonshared.a",
        "-m64 --print-file-name=libssp_nonshared.a",
    ]


def test_a_compiler_that_fails_is_told_of_in_errors(capfd: pytest.CaptureFixture[str]) -> None:
    """The link goes on and says nothing, for what is missing may not be needed."""
    assert loaded(function("f", "puts"), extld=("false",)).cgo.lacking == ""
    assert loaded(function("f", "__div"), extld=("true",), libgcc="none").cgo.lacking == ""
    asked = "-m64 --print-libgcc-file-name"
    for command, said in (
        (("false",), f"false {asked} failed"),
        (("true",), f"true {asked} failed, or printed nothing"),
        (("/no/such/cc",), f"/no/such/cc {asked} failed"),
        (("echo", "lost.a"), f"echo lost.a {asked} names lost.a {asked}, which is not there"),
    ):
        link = loaded(function("f", "__div"), extld=command)
        assert names(link) == ["p(.text)", "f"]
        assert said in link.cgo.lacking
    link = loaded(function("f", "__div"), libgcc="lost.a")
    assert "-libgcc names lost.a, which is not there" in link.cgo.lacking
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "too short"),
        (b"no archive", "is not an archive file"),
        (AR_MAGIC + _header("x.o/", 0), "missing armap"),
        (AR_MAGIC, "missing archive entry at offset 8"),
        (AR_MAGIC + _header("/", -1), "missing archive entry at offset 8"),
        (AR_MAGIC + _header("/", 9), "has a damaged armap"),
        (AR_MAGIC + _header("/", 8) + b"\xff" * 8, "has a damaged armap"),
        (AR_MAGIC + _header("/", 14) + bytes((0, 0, 0, 1, 0, 0, 2, 0)) + b"__div\0", "offset 512"),
    ],
)
def test_damaged_libraries_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "lib.a"
    path.write_bytes(content)
    with pytest.raises(LinkpipeError) as error:
        loaded(function("f", "__div"), libgcc=str(path))
    assert said in error.value.render()
    assert str(path) in error.value.render()


def test_headers_of_members_are_taken_as_they_are(tmp_path: Path) -> None:
    """Without their end, at an odd place, and with a size beyond the file's end."""
    path = tmp_path / "libgcc.a"
    archive(path, ("__div", function("__div")))
    whole = path.read_bytes()
    at = whole.index(b"`\n", 70)
    place = whole.index((at - 58).to_bytes(4, "big"), 68)
    path.write_bytes(
        whole[:place]
        + (at - 59).to_bytes(4, "big")
        + whole[place + 4 : at - 10]
        + b"999999    ??"
        + whole[at + 2 :]
    )
    assert names(loaded(function("f", "__div"), libgcc=str(path)))[2:] == ["libgcc(.text)", "__div"]


def test_a_member_that_is_no_object_is_refused(tmp_path: Path) -> None:
    libgcc = archive(tmp_path / "libgcc.a", ("__div", b"text"))
    with pytest.raises(LinkpipeError, match="unrecognized object file format"):
        loaded(function("f", "__div"), libgcc=libgcc)


def test_objects_of_other_systems_are_refused() -> None:
    with pytest.raises(LinkpipeError) as error:
        loaded(bytes(8), form="foreign")
    assert "p.a(_x0.o): unrecognized object file format" in error.value.render()


def test_objects_can_be_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With -capturehostobjs: each, and what it is."""
    first, second = function("f"), function("g")
    loaded(first, second, capturehostobjs=str(tmp_path))
    assert (tmp_path / "captured-obj-0.o").read_bytes() == first
    assert (tmp_path / "captured-obj-1.o").read_bytes() == second
    assert (tmp_path / "captured-obj-1.txt").read_text() == (
        f"pkg: p\npn: p.a(_x1.o)\nfile: p.a\noff: 100\nlen: {len(second)}\n"
    )
    said = capfd.readouterr().err.splitlines()
    assert said[1] == f"link: info: captured host object p.a to {tmp_path}/captured-obj-1.o"


def test_objects_cannot_be_kept_in_a_folder_that_is_not_there() -> None:
    with pytest.raises(LinkpipeError) as error:
        loaded(function("f"), capturehostobjs="/no/such/folder")
    said = "error writing captured host obj info /no/such/folder/captured-obj-0.txt: open "
    assert str(error.value).startswith(said)
    assert error.value.exit_status == 1
