"""Of what a binary says, nothing is taken that could run a program or write a file."""

from __future__ import annotations

import pytest

from linkpipe.ask import recorded
from linkpipe.compare.buildinfo import BuildInfo, Module
from linkpipe.errors import InputError


def info(path: str = "example.test/prog", **settings: str) -> BuildInfo:
    return BuildInfo("go1.27.3", path, settings=settings)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("-ldflags", "-extld=/tmp/evil -linkmode=external"),
        ("-ldflags", "-s -extldflags -fplugin=evil.so"),
        ("-ldflags", "-o /root/.profile"),
        ("-ldflags", "-w @/tmp/more"),
        ("-ldflags", "-X=a.b=c -tmpdir /tmp/x"),
        ("-ldflags", "-fipso=/root/.profile"),
        ("-ldflags", "all=-s -cpuprofile=x"),
        ("-ldflags", "-s 'unterminated"),
        ("-ldflags", "-dump=/tmp/x"),
        ("-ldflags", "-pipeline=/tmp/evil.toml"),
        ("-gcflags", "-o /root/.profile"),
        ("-gcflags", "all=-N -cpuprofile=/root/.profile"),
        ("-gcflags", "-d=ssa/all/dump=main"),
        ("-asmflags", "-o=/root/.profile"),
    ],
)
def test_flags_that_are_refused(name: str, text: str) -> None:
    """They may be given by hand."""
    with pytest.raises(InputError, match="is not taken from a binary"):
        recorded.flags(info(**{name: text}), "prog", [])
    by_hand = recorded.flags(info(**{name: text}), "prog", [f"{name}=-w"])
    assert [flag for flag in by_hand if flag.startswith(name)] == [f"{name}=-w"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("-ldflags", "-s -w -X main.version=1.2 -X 'main.date=some day'"),
        ("-ldflags", "all=-w"),
        ("-gcflags", "cmd/...=-dwarf=false"),
        ("-gcflags", "-N -l"),
        ("-asmflags", "-D X=1"),
        ("-tags", "netgo,osusergo"),
    ],
)
def test_flags_that_are_taken(name: str, text: str) -> None:
    assert f"{name}={text}" in recorded.flags(info(**{name: text}), "prog", [])


def test_variables_of_the_go_command_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod -toolexec=mine -tags=x")
    monkeypatch.setenv("GOARCH", "arm64")
    monkeypatch.setenv("GOPROXY", "off")
    said = info(
        GOFLAGS="-toolexec=evil",
        GOROOT="/tmp/evil",
        GOPROXY="https://evil.test",
        GOTOOLCHAIN="evil",
        CGO_CFLAGS="-fplugin=evil.so",
        CC="evil",
        GOAMD64="v2 evil",
        GOARCH="s390x",
        CGO_ENABLED="0",
    )
    found = recorded.variables(said)
    assert "evil" not in " ".join(found.values())
    assert (found["GOARCH"], found["CGO_ENABLED"]) == ("s390x", "0")
    assert (found["GOFLAGS"], found["GOPROXY"]) == ("-mod=mod", "off")
    assert not any("toolexec" in flag for flag in recorded.flags(said, "prog", []))


@pytest.mark.parametrize("path", ["-toolexec=evil", "command-line-arguments", "a b", "-o", "a\nb"])
def test_what_is_no_package(path: str) -> None:
    with pytest.raises(InputError, match="which is no package"):
        recorded.package(info(path), "prog")


def test_a_package_of_a_module_that_was_downloaded() -> None:
    main = Module("example.test", "v1.2.3", "h1:abc")
    said = BuildInfo("go1.27.3", "example.test/prog", main)
    assert recorded.package(said, "prog") == "example.test/prog@v1.2.3"
    said = BuildInfo("go1.27.3", "example.test/prog", Module("example.test", "v1.2.3"))
    assert recorded.package(said, "prog") == "example.test/prog"
