"""Where packages are looked for, and what is said about those that are nowhere."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from linkpipe.errors import UserError
from linkpipe.flags.environ import Environment
from linkpipe.flags.options import Options
from linkpipe.packages.places import Places


def put(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return str(file)


def test_shared_libraries_by_what_was_installed(tmp_path: Path) -> None:
    """A file PKG.shlibname names the library that has the package, and goes before an archive."""
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "atomic.shlibname").write_text("libx.so\n")
    (tmp_path / "sync" / "atomic.a").touch()
    (tmp_path / "fmt.a").touch()
    options = Options(L=(str(tmp_path),), linkshared=True)
    places = Places.of(options)
    assert dict(places.shlibs) == {"sync/atomic": "libx.so"}
    assert places.file("sync/atomic") == ""
    assert places.file("fmt") == str(tmp_path / "fmt.a")
    assert places.has_internal("sync/atomic")
    assert not Places.of(Options(L=(str(tmp_path),))).shlibs


def test_shared_libraries_of_an_importcfg(tmp_path: Path) -> None:
    config = tmp_path / "importcfg"
    config.write_text("packagefile p=p.a\npackageshlib p=/x/libp.so\n")
    assert Places.of(Options(importcfg=str(config))).file("p") == "p.a"
    shared = Places.of(Options(importcfg=str(config), linkshared=True))
    assert (shared.file("p"), dict(shared.shlibs)) == ("", {"p": "/x/libp.so"})


def test_folders_in_their_order_then_goroot(tmp_path: Path) -> None:
    """Archives win over objects, the first -L folder over the second, all of them over GOROOT's."""
    first, second = tmp_path / "1", tmp_path / "2"
    std = tmp_path / "go" / "pkg" / "linux_toy"
    put(first / "p.o"), put(std / "p.a")
    want = {
        "p": put(second / "p.a"),
        "q": put(first / "q.a"),
        "a/b": put(std / "a" / "b.a"),
        "c": put(first / "c.o"),
    }
    put(second / "q.a")
    environment = Environment(str(tmp_path / "go"), "linux", "toy", "go1.99")
    options = Options(L=(str(first), str(second)), environment=environment)
    places = Places.of(options)
    assert dict(places.files) == want
    assert places.file("p") == want["p"]
    assert places.file("x/y") == str(std / "x" / "y.o")
    raced = Places.of(attrs.evolve(options, installsuffix="race"))
    assert raced.file("x/y") == str(tmp_path / "go" / "pkg" / "linux_toy_race" / "x" / "y.o")
    bare = Places.of(attrs.evolve(options, environment=Environment("", "linux", "toy", "")))
    assert "a/b" not in bare.files
    assert "-L" in bare.remedy("a/b")


def test_what_is_not_in_the_importcfg_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On standard output, as the oracle's; and how to mend it."""
    config = tmp_path / "importcfg"
    config.write_text("packagefile p=/x/p.a\n")
    places = Places.of(Options(importcfg=str(config), L=(str(tmp_path),)))
    assert places.file("p") == "/x/p.a"
    assert places.has_internal("p")
    assert capfd.readouterr().out == ""
    assert places.file("fmt") == ""
    assert not places.has_internal("runtime/cgo")
    assert capfd.readouterr().out.splitlines() == [
        "cannot find package fmt (using -importcfg)",
        "loadinternal: cannot find runtime/cgo",
    ]
    assert places.remedy("fmt") == "add a line 'packagefile fmt=FILE' to the importcfg"


def test_what_is_in_no_folder_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    places = Places.of(Options())
    assert not places.has_internal("runtime/cgo")
    assert capfd.readouterr().out == "warning: unable to find runtime/cgo.a\n"
    with pytest.raises(UserError, match=r"^error: unable to find runtime\.a$"):
        places.has_internal("runtime")
