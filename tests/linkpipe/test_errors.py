from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from linkpipe.errors import (
    COMMAND,
    HostLinkError,
    InputError,
    LinkErrors,
    LinkpipeError,
    MissingFact,
    OptionError,
    PassError,
    PipelineError,
    UserError,
    checkpoint,
    collecting,
    os_error,
)


def test_a_message_has_headline_details_and_remedy_in_that_order() -> None:
    """What a person reads first is the oracle's line; what to do stands last."""
    error = InputError(
        "truncated object file",
        file="a.a(x.o)",
        symbol="main.f",
        offset=0,
        expected="8 bytes",
        found="3 bytes",
        remedy="rebuild the package",
    )
    assert error.render().splitlines() == [
        "main.f: truncated object file",
        "\tfile: a.a(x.o)",
        "\toffset: 0",
        "\texpected: 8 bytes",
        "\tfound: 3 bytes",
        "\trebuild the package",
    ]


def test_a_file_that_the_headline_names_is_not_named_again() -> None:
    error = InputError("cannot open file x.a: open x.a: no such file or directory", file="x.a")
    assert error.render() == error.message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UserError("m"), 1),
        (UserError("m", status=2), 2),
        (OptionError("m"), 2),
        (HostLinkError("m"), 1),
        (InputError("m"), 2),
        (PipelineError("m"), 2),
        (MissingFact("m"), 2),
        (PassError("m"), 2),
        (LinkErrors("m"), 2),
    ],
)
def test_exit_status(error: LinkpipeError, status: int) -> None:
    """1 where the oracle uses log.Fatalf, 2 where it uses Exitf."""
    assert error.exit_status == status


def test_where_an_error_lies_stands_in_the_headline() -> None:
    assert str(PipelineError("bad", file="p.toml", line=3)) == "p.toml:3: bad"
    assert str(PipelineError("bad", file="p.toml")) == "p.toml: bad"
    assert str(PassError("crashed", name="ptab")) == "pass ptab: crashed"


def test_operating_system_errors_speak_as_gos_do() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Path("/nonexistent/x").read_bytes()
    assert os_error(caught.value) == "open /nonexistent/x: no such file or directory"


def test_a_checkpoint_without_errors_passes() -> None:
    checkpoint([])


def collected(errors: Iterable[LinkpipeError]) -> LinkErrors:
    with pytest.raises(LinkErrors) as caught:
        checkpoint(errors)
    return caught.value


def test_collected_errors_are_shown_once_each_and_capped_like_the_oracles() -> None:
    """The oracle prints 21 and gives up, in the name of the command; -e lifts the limit, -h ends
    with the first."""
    many = [UserError(f"symbol {n} is not defined") for n in range(30)] * 2
    error = collected(many)
    lines = error.shown("/x/link").splitlines()
    assert len(lines) == 22
    assert lines[20:] == ["symbol 20 is not defined", "/x/link: too many errors"]
    assert len(error.shown("/x/link", None).splitlines()) == 30
    assert error.shown("/x/link", 0) == "symbol 0 is not defined"


def test_twenty_errors_are_not_too_many() -> None:
    assert "too many" not in collected(UserError(str(n)) for n in range(20)).shown("link")


def test_errors_that_the_oracle_does_not_count() -> None:
    """What it prints with a label, all the same, is printed to the end."""
    errors = [InputError(f"{n}: bad directive", label=COMMAND) for n in range(30)]
    lines = collected(errors).shown("/x/link").splitlines()
    assert lines == [f"/x/link: {n}: bad directive" for n in range(30)]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("m"), "link: m"),
        (UserError("m", status=2), "/x/link: m"),
        (UserError("m", label=""), "m"),
        (PipelineError("m", label="linkpipe"), "linkpipe: m"),
        (InputError("m"), "/x/link: m"),
        (InputError("m", symbol="main.f"), "main.f: m"),
        (InputError("m", symbol="main.f", label="linkpipe"), "linkpipe: main.f: m"),
        (OptionError("", label=""), ""),
    ],
)
def test_what_stands_before_a_message(error: LinkpipeError, line: str) -> None:
    """As in the oracle: log.Fatalf has "link", Exitf the command, Errorf nothing."""
    assert error.shown("/x/link") == line


def test_what_cannot_be_read_is_said_as_by_gos_os_readfile(tmp_path: Path) -> None:
    """A folder can be opened and not read; a file need not have a name."""
    with pytest.raises(IsADirectoryError) as caught:
        open(tmp_path)  # noqa: SIM115 - it cannot be opened
    assert os_error(caught.value) == f"read {tmp_path}: is a directory"
    with pytest.raises(FileNotFoundError) as nameless:
        open("")  # noqa: SIM115 - it cannot be opened
    assert os_error(nameless.value) == "open : no such file or directory"


def test_collected_errors_come_before_the_one_that_ends_the_work() -> None:
    """Which keeps its label and its exit status."""

    def work() -> None:
        with collecting() as errors:
            errors.append(InputError("a: header mismatch"))
            errors.append(InputError("b: header mismatch"))
            raise UserError("reference to nonexistent package")

    with pytest.raises(LinkErrors) as caught:
        work()
    assert caught.value.shown("/x/link").splitlines() == [
        "a: header mismatch",
        "b: header mismatch",
        "link: reference to nonexistent package",
    ]
    assert caught.value.exit_status == 1


def test_collected_errors_are_raised_at_the_end_of_the_work() -> None:
    with pytest.raises(LinkErrors) as caught, collecting() as errors:
        errors.append(InputError("a: header mismatch"))
    assert caught.value.shown("/x/link") == "a: header mismatch"
    with pytest.raises(UserError, match="alone"), collecting():
        raise UserError("alone")
    with collecting():
        pass
