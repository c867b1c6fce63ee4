"""Binaries that the stock toolchain built are what their source gives; others are told apart."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from linkpipe.ask.verify import Verify, verify
from linkpipe.errors import InputError, UserError
from linkpipe.formats import elfread
from tests.conformance.releases import install
from tests.conformance.toolchain import environment, goroot
from tests.linkpipe.ask.pairs import Builder, published


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """A copy of the programs, where the go command is the pinned one and uses no C."""
    environ = environment(CGO_ENABLED="0")
    for name in set(os.environ) - set(environ):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Builder.here(tmp_path)


def built(builder: Builder, *flags: str, package: str = "./stamped", **env: str) -> str:
    builder.go(
        "build", "-buildvcs=false", *flags, "-o", "prog", package, **{"CGO_ENABLED": "0", **env}
    )
    return str(builder.folder / "prog")


def patched(file: str, old: str, new: str) -> str:
    """The same file, which says something else of how it was built."""
    assert len(old) == len(new)
    content = Path(file).read_bytes()
    assert old.encode() in content
    Path(file).write_bytes(content.replace(old.encode(), new.encode()))
    return file


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        ((), {}),
        (("-trimpath",), {}),
        (("-ldflags=-s -w",), {}),
        (("-ldflags=-w -X main.Version=1.2 -X 'main.Commit=a b'",), {}),
        (("-tags=netgo,osusergo",), {}),
        (("-gcflags=-N -l",), {}),
        ((), {"GOARCH": "arm64"}),
        ((), {"GOARCH": "s390x"}),
        ((), {"GOARCH": "386"}),
        ((), {"GOARCH": "arm", "GOARM": "7"}),
        (("-buildmode=pie",), {}),
        (("-buildmode=plugin",), {"CGO_ENABLED": "1"}),
        (("-race",), {"CGO_ENABLED": "1"}),
        (("-ldflags=-linkmode=external",), {"CGO_ENABLED": "1"}),
    ],
    ids=str,
)
def test_what_the_stock_toolchain_built(
    builder: Builder, flags: tuple[str, ...], env: dict[str, str]
) -> None:
    file = built(builder, *flags, **env)
    found = verify(file)
    assert found.lines == ()
    assert (found.same, found.assumed, found.guesses) == (True, (), ())
    assert found.package == "looking.test/stamped"


def test_flags_of_the_linker_that_trimpath_does_not_write_down(builder: Builder) -> None:
    """They are read off the file, and named."""
    file = built(builder, "-trimpath", "-ldflags=-w -X main.Version=1.2")
    found = verify(file)
    assert (found.same, found.assumed) == (True, ("-w", "-X", "main.Version=1.2"))
    file = built(builder, "-trimpath", "-ldflags=-s")
    found = verify(file)
    assert (found.same, found.assumed) == (True, ("-s",))


@pytest.mark.parametrize(
    ("given", "env"),
    [
        ({"main.Version": "1.2"}, {}),
        ({"main.Commit": "a b"}, {}),
        ({"main.Version": "1.2", "main.Commit": "f" * 5000}, {}),
        ({"main.Version": "2"}, {"GOARCH": "s390x"}),
        ({"main.Version": "2"}, {"GOARCH": "386"}),
    ],
    ids=["empty", "with a value", "two, one long", "s390x", "386"],
)
def test_definitions_that_a_stripped_file_does_not_name(
    builder: Builder, given: dict[str, str], env: dict[str, str]
) -> None:
    """With -trimpath nothing says them, and no symbol: they are where the variables lie."""
    flags = " ".join(f"-X '{name}={value}'" for name, value in given.items())
    found = verify(built(builder, "-trimpath", f"-ldflags=-s {flags}", **env))
    assert found.same, found.lines
    told = dict(word.split("=", 1) for word in found.assumed[1:] if word != "-X")
    assert (found.assumed[0], told) == ("-s", given)


def test_other_source_is_not_taken_for_definitions(builder: Builder) -> None:
    """Of a stripped file whose source has another constant in a variable's place."""
    file = built(builder, "-trimpath", "-ldflags=-s")
    source = builder.folder / "stamped" / "main.go"
    source.write_text(source.read_text().replace('Commit  = "unknown"', 'Commit  = "unknowm"'))
    found = told(file)
    assert found.assumed == ("-s",)


def test_a_module_that_was_downloaded(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = tmp_path / "proxy"
    main = "package main\n\nfunc main() { println(1) }\n"
    published(proxy, "example.test/tool", "v1.2.3", {"main.go": main})
    for name, value in {
        "GOPROXY": f"file://{proxy}",
        "GONOSUMDB": "*",
        "GOFLAGS": "-modcacherw",
        "GOMODCACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    env = {name: os.environ[name] for name in ("GOPROXY", "GONOSUMDB", "GOFLAGS", "GOMODCACHE")}
    builder.go("install", "example.test/tool@v1.2.3", GOBIN=str(tmp_path), CGO_ENABLED="0", **env)
    found = verify(str(tmp_path / "tool"))
    assert (found.same, found.package) == (True, "example.test/tool@v1.2.3")


def told(file: str) -> Verify:
    """What is said of a binary that is not what it says."""
    found = verify(file)
    assert not found.same
    assert found.lines
    return found


def test_a_program_that_was_stripped_in_the_link(builder: Builder) -> None:
    """It says that it was linked with -a, which does nothing."""
    found = told(patched(built(builder, "-ldflags=-s"), "-ldflags=-s", "-ldflags=-a"))
    (guess,) = found.guesses
    assert (guess.name, guess.proven) == ("-ldflags", True)
    assert "-s" in guess.text


def test_a_tag(builder: Builder) -> None:
    (builder.folder / "stamped" / "more.go").write_text(
        "//go:build extra\n\npackage main\n\nfunc init() { println(Idle) }\n"
    )
    found = told(patched(built(builder, "-tags=extra"), "-tags=extra", "-tags=other"))
    assert "-tags" in found.guesses[0].text
    assert "main.init.0 in the binary only" in found.guesses[0].text
    assert found.difference
    assert found.difference.found == "main.init.0"


def test_trimmed_paths(builder: Builder) -> None:
    found = told(patched(built(builder, "-trimpath"), "-trimpath=true", "-trimpaht=true"))
    assert {"-trimpaht", "-trimpath"} == {guess.name for guess in found.guesses}


def test_a_newer_processor(builder: Builder) -> None:
    found = told(patched(built(builder, GOAMD64="v2"), "GOAMD64=v2", "GOAMD64=v1"))
    assert found.guesses[0].name == "GOAMD64"
    assert found.difference
    assert found.difference.package == "internal/cpu"
    assert found.difference.input.endswith(")")


def test_flags_of_the_compiler(builder: Builder) -> None:
    found = told(patched(built(builder, "-gcflags=-N"), "-gcflags=-N", "-gcflags=-e"))
    assert "-gcflags" in found.guesses[0].text
    assert found.difference
    assert found.difference.package == "main"


def test_other_source(builder: Builder) -> None:
    """The symbol is named, the input that it is of, and what is other in it."""
    file = built(builder)
    source = builder.folder / "stamped" / "main.go"
    source.write_text(source.read_text().replace("Level)", "Level+1)"))
    found = told(file)
    assert found.guesses[0].name == "source"
    assert found.difference
    assert found.difference.symbol == found.difference.found == "main.main"
    assert found.difference.input == "main.a(_go_.o)"


def test_what_cannot_be_verified(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no build information"):
        verify("/bin/sh")
    file = built(builder)
    root = install("1.26")
    monkeypatch.setenv("GOROOT", str(root))
    monkeypatch.setenv("LINKPIPE_GO", str(root / "bin" / "go"))
    with pytest.raises(UserError, match="was built by go1.27.3, and this go command is go1.26"):
        verify(file)


def test_damaged_binaries(builder: Builder) -> None:
    """Another answer, or an error about the file."""
    file = Path(built(builder))
    elf = elfread.read(file)
    content, rng = file.read_bytes(), random.Random(1)
    names = (".gopclntab", ".symtab", ".text", ".go.module")
    for number in (elf.index(name) for name in names):
        assert number is not None
        start, size = int(elf.sections["offset"][number]), int(elf.sections["size"][number])
        changed = bytearray(content)
        for _ in range(40):
            changed[start + rng.randrange(size)] = 0xFF
        file.write_bytes(changed)
        try:
            assert not verify(str(file)).same
        except InputError as error:
            assert str(file) in error.render()  # noqa: PT017 - there may be none


def test_a_command_of_the_distribution(builder: Builder) -> None:
    """One of those that docs/verified.md lists; it lists them all."""
    found = verify(str(goroot() / "bin" / "gofmt"))
    assert (found.same, found.assumed) == (True, ("-w",))
    page = (Path(__file__).parents[3] / "docs" / "verified.md").read_text()
    listed = re.findall(r"^\| ((?:bin|pkg)/\S+) \|", page, re.MULTILINE)
    files = [*goroot().glob("bin/*"), *goroot().glob("pkg/tool/*/*")]
    assert sorted(listed) == sorted(str(file.relative_to(goroot())) for file in files)
