"""The flags, beside the oracle's own answers."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import LinkpipeError, OptionError
from linkpipe.flags.environ import Environment
from linkpipe.flags.goflag import usage_text
from linkpipe.flags.options import FLAGS, Options, VersionAsked, read_options, usage
from linkpipe.testing.links import release
from tests.conformance.toolchain import environment, link_tool

HOST = Environment("/go", "linux", "toy", "go1.27.3")


def read(*args: str) -> Options:
    options = read_options(args, HOST)
    assert isinstance(options, Options)
    return options


def oracle(*args: str) -> tuple[int, str]:
    done = subprocess.run(
        [link_tool(), *args], capture_output=True, text=True, env=environment(), check=False
    )
    return done.returncode, done.stderr


def ours(*args: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe.cli.toolexec", str(link_tool()), *args],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    return done.returncode, done.stderr


def test_the_usage_text_is_the_oracles() -> None:
    """The table of flags is complete, with the oracle's words and defaults."""
    status, text = oracle()
    assert status == 2
    assert usage_text("usage: link [options] main.o", FLAGS) == text


@pytest.mark.parametrize(
    "args",
    [
        ["-zz"],
        ["-s=maybe", "x.o"],
        ["-w=maybe", "x.o"],
        ["-R", "zz", "x.o"],
        ["-R", "5", "x.o"],
        ["-R", "-5", "x.o"],
        ["-T", "99999999999999999999", "x.o"],
        ["-buildmode=foo", "x.o"],
        ["-linkmode=foo", "x.o"],
        ["-o"],
        ["-X", "foo", "x.o"],
        ["-X", "foo=a.b", "x.o"],
        ["-H", "foo", "x.o"],
        ["-aslr=false", "x.o"],
        ["-funcalign", "3", "x.o"],
        ["-benchmark", "x", "x.o"],
        ["-B", "foo", "x.o"],
        ["-B", "0xabc", "x.o"],
        ["-B", "0xaz", "x.o"],
        ["-B", "0x" + "00" * 33, "x.o"],
        ["-B", "gobuildid", "x.o"],
        ["-D", "5", "-R", "4096", "x.o"],
        ["-extldflags", "'a", "x.o"],
        ["@nofile"],
        ["a.o", "b.o"],
        ["-help"],
        ['-s=a"b\\c\n\x01é\u200b'],
        ["-v= 5"],
        ["-v=1_0"],
        ["-w="],
    ],
    ids=lambda args: ascii(" ".join(args)),
)
def test_wrong_command_lines_get_the_oracles_answer(args: list[str]) -> None:
    """Same first line, same exit status, and the list of flags when the oracle shows it."""
    status, text = oracle(*args)
    our_status, our_text = ours(*args)
    assert our_status == status
    assert our_text.splitlines()[0] == text.splitlines()[0]
    assert ("usage: link" in our_text) == ("usage: link" in text)


@pytest.mark.parametrize(
    ("flag", "status"),
    [
        (f"-{name}={value}", 2)
        for name in "TDR"
        for value in ("0x7fffffffffffffff", "0x4000000000001000", "-4096")
    ]
    + [("-funcalign=0x80000000", 2), ("-funcalign=0x4000000000000000", 2)],
)
def test_addresses_and_alignments_leave_room(flag: str, status: int) -> None:
    """Numbers that no program has room for are refused, not reckoned with."""
    our_status, text = ours(flag, "x.o")
    assert our_status == status
    assert flag[1:].partition("=")[0] in text.splitlines()[0]
    assert read("-T=0x4000000000000000", "-funcalign=0x40000000", "x.o").T == 1 << 62


def test_defaults_that_depend_on_other_flags() -> None:
    options = read("x.o")
    assert (options.o, options.buildmode, options.linkmode) == ("a.out", "exe", "auto")
    assert (options.B, options.E) == ("", "_rt0_toy_linux")
    assert read("-buildid=q", "x.o").B == "gobuildid"
    assert read("-buildmode=plugin", "x.o").E == ""
    assert read("-buildmode=pie", "x.o").E == "_rt0_toy_linux"
    for library in ("c-shared", "c-archive"):
        assert read(f"-buildmode={library}", "x.o").E == "_rt0_toy_linux_lib"
    assert read("-r=", "x.o").r == ""
    assert read("x.o").r is None


@pytest.mark.parametrize(
    ("flags", "without"),
    [
        ([], False),
        (["-w"], True),
        (["-s"], True),
        (["-s", "-w=false"], False),
        (["-w=0", "-s"], False),
        (["-s=false"], False),
    ],
)
def test_no_symbol_table_no_debug_information(flags: list[str], without: bool) -> None:
    """-s implies -w unless that is given: the debug information's own choice wins."""
    assert read(*flags, "x.o").w is without


def test_the_build_note() -> None:
    digest = release().hash
    assert read("-B=none", "-buildid=q", "x.o").build_note(digest) == b""
    assert read("-B=0x00ffA1", "x.o").build_note(digest) == b"\x00\xff\xa1"
    note = read("-buildid=abc", "x.o").build_note(digest)
    # SHA-256 of "abc" with the first byte inverted.
    assert note.hex() == "457816bf8f01cfea414140de5dae2223b00361a3"
    note = read("-buildid=abc", "x.o").build_note(release("1.24").hash)
    assert note.hex() == "bb7816bf8f01cfea414140de5dae2223b00361a3"


def test_repeated_flags() -> None:
    options = read("-L", "a", "-L=b", "-v", "-v", "-X=m.a=1", "-X=m.b=x=y", "x.o")
    assert options.L == ("a", "b")
    assert options.v == 2
    assert options.X == ("m.a=1", "m.b=x=y")


def test_main_of_a_plugin_is_known_by_its_path() -> None:
    """Only for what follows the two flags, as in the oracle."""
    options = read("-X=main.a=1", "-buildmode=plugin", "-pluginpath=q/p", "-X=main.a=2", "x.o")
    assert options.X == ("main.a=1", "q/p.a=2")


@pytest.mark.parametrize(
    ("args", "flag"),
    [
        (["-H=windows"], "-H windows"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(args: list[str], flag: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(*args, "x.o")
    message = caught.value.render()
    assert message.startswith(f"flag {flag} is not supported")
    assert "go tool link" in message
    assert caught.value.exit_status == 2


def test_what_a_link_starts_from() -> None:
    """A shared library's packages are named with their paths; without one it is main."""
    assert read("x.o").roots == (("main", "x.o"),)
    assert read("-buildmode=plugin", "-pluginpath=q/p", "x.o").roots == (("q/p", "x.o"),)
    library = read("-buildmode=shared", "a/b=b=c.a", "x.o")
    assert library.roots == (("a/b", "b=c.a"), ("main", "x.o"))
    assert read("-buildmode=shared").roots == ()


def test_an_unsupported_flag_may_be_given_its_default() -> None:
    assert read("-race=false", "-debugtramp=0", "-H=linux", "x.o").race is False


def test_version_is_answered_before_later_flags_are_looked_at() -> None:
    asked = read_options(["-V=full", "-zz"], HOST)
    assert isinstance(asked, VersionAsked)
    assert asked.what == "full"


def test_own_flags_and_variables() -> None:
    """A flag wins over its variable."""
    variables = {"LINKPIPE_DUMP": "d", "LINKPIPE_TIME": "1", "LINKPIPE_CHECK": "0",
                 "LINKPIPE_OBSERVE": "a:x=1,y=2 b"}  # fmt: skip
    options = read_options(["-dump=e", "--pipeline", "p.toml", "-s", "x.o"], HOST, variables)
    assert isinstance(options, Options)
    settings = options.settings
    assert (settings.dump, settings.pipeline, settings.time) == ("e", "p.toml", True)
    assert (settings.check, settings.observe) == (False, ("a:x=1,y=2", "b"))
    assert options.s
    assert options.args == ("-dump=e", "--pipeline", "p.toml", "-s", "x.o")


def test_arguments_from_a_file(tmp_path: Any) -> None:
    (tmp_path / "args").write_text("-o 'a b'\n-s x.o")
    options = read(f"@{tmp_path}/args")
    assert (options.o, options.s, options.main) == ("a b", True, "x.o")


def of_release(*args: str, version: str = "go1.24.11", by_hand: bool = False) -> Options:
    environment = Environment("", "linux", "toy", version, by_hand=by_hand)
    options = read_options(
        args, environment, release_of=lambda version, asked: release(asked or version[2:6])
    )
    assert isinstance(options, Options)
    return options


@pytest.mark.parametrize("flag", ["-e", "-funcalign=3", "--funcalign=x", "-D=4096", "-macos=1"])
def test_a_flag_that_the_release_does_not_know(flag: str) -> None:
    """Its linker's words, whatever the value, and the list of its flags; one that was wrong before
    it is told instead."""
    name = flag.strip("-").partition("=")[0]
    with pytest.raises(OptionError) as raised:
        of_release("-s", flag, "x.o")
    assert raised.value.message == f"flag provided but not defined: -{name}"
    assert (raised.value.exit_status, raised.value.usage) == (2, True)
    listed = re.findall(r"^  -(\w+)", usage(raised.value.known), re.MULTILINE)
    assert name not in listed
    assert {"debugtramp", "release"} <= set(listed)
    with pytest.raises(OptionError, match="-R"):
        of_release("-R=5x", flag, "x.o")


def test_flags_of_the_release_that_is_asked_for(tmp_path: Path) -> None:
    """By a flag, wherever it stands; a link by hand has those of what it links."""
    assert of_release("-funcalign=64", "x.o", version="go1.25.5").funcalign == 64
    assert of_release("-funcalign=64", "-release=1.25", "x.o").funcalign == 64
    with pytest.raises(OptionError, match="-D"):
        of_release("-D=4096", "-release=1.25", "x.o")
    main = tmp_path / "main.a"
    main.write_bytes(b"go object linux toy go1.27.3 X:\n")
    assert of_release("-D=4096", str(main), by_hand=True).D == 4096
    with pytest.raises(OptionError, match="-D"):
        of_release("-D=4096", str(main))


def test_response_files_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "args").write_text("-o\na b\nx.o\n")
    assert of_release(f"@{tmp_path}/args").o == "a b"
    with pytest.raises(OptionError):
        of_release(f"@{tmp_path}/args", version="go1.27.0")


def test_options_are_frozen() -> None:
    with pytest.raises(AttributeError):
        read("x.o").s = True  # type: ignore[misc]


WORDS = st.sampled_from(["-", "--", "=", "@", "0x", "1", "true", "a.b", "'", '"', "\udc80", " "])


@given(st.lists(st.sampled_from(sorted(FLAGS)) | WORDS | st.text(max_size=3), max_size=8))
def test_no_command_line_crashes(parts: list[str]) -> None:
    """Whatever is typed is read or refused."""
    args = " ".join(parts).replace("- ", "-").replace(" =", "=").split(" ")
    with suppress(LinkpipeError):
        read_options(args, HOST)


def test_build_modes_that_the_target_has_not() -> None:
    """As the flag is read: another flag that is wrong is reported if it comes first. The default
    is never asked about."""

    def nothing(mode: str) -> bool:
        assert mode != "exe"
        return False

    words = (
        'invalid value "plugin" for flag -buildmode: buildmode plugin not supported on linux/toy'
    )
    with pytest.raises(OptionError) as raised:
        read_options(["-buildmode=plugin", "-zz"], HOST, can_build=nothing)
    assert raised.value.message == words.replace("linux/toy", f"{HOST.goos}/{HOST.goarch}")
    assert raised.value.usage
    with pytest.raises(OptionError, match="-zz"):
        read_options(["-zz", "-buildmode=plugin"], HOST, can_build=nothing)
    with pytest.raises(OptionError, match="invalid buildmode"):
        read_options(["-buildmode=toy"], HOST, can_build=nothing)
    options = read_options(["-buildmode=exe", "x.a"], HOST, can_build=nothing)
    assert isinstance(options, Options)


@pytest.mark.parametrize(("by_hand", "version"), [(True, "go1.98.2"), (False, "go1.99.1")])
def test_a_link_by_hand_has_the_version_of_what_it_links(
    by_hand: bool, version: str, tmp_path: Path
) -> None:
    """The `go` that is around need not have compiled it; a toolchain that asks has."""
    main = tmp_path / "main.a"
    main.write_bytes(b"go object linux toy go1.98.2 X:\n")
    environment = Environment("", "linux", "toy", "go1.99.1", by_hand=by_hand)
    options = read_options([str(main)], environment)
    assert isinstance(options, Options)
    assert options.environment.version == version
    nowhere = read_options([str(tmp_path / "none")], environment)
    assert isinstance(nowhere, Options)
    assert nowhere.environment.version == "go1.99.1"


def test_two_profiles_of_time_are_refused() -> None:
    """Python has one at a time; the oracle panics."""
    with pytest.raises(OptionError, match="-cpuprofile and -benchmarkprofile"):
        read("-benchmark=cpu", "-benchmarkprofile=x", "-cpuprofile=y", "x.o")
