"""Loading: what objects are wrong in, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import InputError, LinkErrors, collecting
from linkpipe.packages.headers import Header
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.testing.objects import Obj, object_header, write_archive

LINE = object_header().split()
ANOTHER = Header(LINE[2], "s390x", LINE[4], "", "", ())


def loaded(folder: Path, count: int, header: Header | None = None) -> PackageLoader:
    """A main package that imports p0, p1 …"""
    paths = [f"p{i}" for i in range(count)]
    objects = [Obj(package="main", imports=tuple(paths)), *(Obj(package=path) for path in paths)]
    files = {
        obj.package: write_archive(folder / f"{obj.package}.a", obj, main=obj.package == "main")
        for obj in objects
    }
    return load(files["main"], Places(files), header)


def load(main: str, places: Places, header: Header | None) -> PackageLoader:
    with collecting() as errors:
        loader = PackageLoader(places, main, header, errors)
        loader.add("main", main, "command line")
        loader.load()
    return loader


def test_every_object_for_another_target_is_named(tmp_path: Path) -> None:
    """In the order of loading; as the oracle's, all of them or 21."""
    with pytest.raises(LinkErrors) as caught:
        loaded(tmp_path, 30, ANOTHER)
    names = [str(error).partition("(")[0] for error in caught.value.errors]
    assert names == [
        str(tmp_path / f"{name}.a") for name in ("main", *(f"p{i}" for i in range(30)))
    ]
    lines = caught.value.shown("/x/link").splitlines()
    assert sum("linked object header mismatch" in line for line in lines) == 21
    assert lines[-1] == "/x/link: too many errors"


def test_another_system_is_not_linked_for(tmp_path: Path) -> None:
    with pytest.raises(LinkErrors) as caught:
        loaded(tmp_path, 0, ANOTHER._replace(goos="freebsd"))
    assert caught.value.errors[0].remedy == "set GOOS=linux: linkpipe links for no other system"


def test_what_comes_after_a_wrong_object_is_said_too(tmp_path: Path) -> None:
    """An object that is cut short ends the work; those that do not match stand before it."""
    main = tmp_path / "main.a"
    main.write_bytes(b"go object linux toy go1.99\npackage main\n")
    with pytest.raises(LinkErrors) as caught:
        load(str(main), Places({}), ANOTHER)
    words = [error.message.partition(":")[0] for error in caught.value.errors]
    assert words == [str(main), "truncated object file"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"go objekt x\n!\n", '{file}: not an object file: @0 "go objekt x\\n"'),
        (b"go object", "truncated object file: {file}: EOF"),
    ],
)
def test_what_is_no_object(content: bytes, words: str, tmp_path: Path) -> None:
    main = tmp_path / "main.a"
    main.write_bytes(content)
    loader = PackageLoader(Places({}), str(main))
    loader.add("main", str(main), "command line")
    with pytest.raises(InputError) as caught:
        loader.load()
    assert caught.value.shown("/x/link").splitlines()[0] == words.format(file=main)


def test_a_package_that_is_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is opened in its turn, under no name."""
    main = write_archive(tmp_path / "main.a", Obj(package="main", imports=("fmt",)), main=True)
    loader = PackageLoader(Places({}), main)
    loader.add("main", main, "command line")
    with pytest.raises(InputError) as caught:
        loader.load()
    first, *rest = caught.value.shown("/x/link").splitlines()
    assert first == "/x/link: cannot open file : open : no such file or directory"
    assert "packagefile fmt=FILE" in rest[-1]
    assert capfd.readouterr().out == "cannot find package fmt (using -importcfg)\n"


def test_package_data_may_be_passed_over(tmp_path: Path) -> None:
    """Flag -g: then nobody knows of package main, nor of cgo's directives."""
    main = write_archive(tmp_path / "main.a", Obj(package="main"), main=True)
    loader = PackageLoader(Places({}), main, bare=True)
    loader.add("main", main, "command line")
    with pytest.raises(InputError, match=r"main\.a: not package main"):
        loader.load()
