"""What objects have to be of."""

from __future__ import annotations

import attrs
import pytest

from linkpipe.arch import Setting
from linkpipe.arches.amd64 import ARCH
from linkpipe.errors import UserError
from linkpipe.flags.environ import Environment
from linkpipe.flags.options import Options
from linkpipe.packages.headers import Header, foreign_format
from linkpipe.testing.links import release


def spelled(text: str) -> str:
    if not text.isdigit():
        raise ValueError("invalid GOTOY: must be a number")
    return f"{text},hard"


LISTS = release().lists._replace(experiments="regabiwrappers regabiargs arenas dwarf5")
RELEASE = attrs.evolve(release(), lists=LISTS._replace(baseline="arenas dwarf5"))
TOY = attrs.evolve(ARCH, goarch="toy", regabi=False, setting=Setting("GOTOY", "5", spelled))


def wanted(version: str = "go1.99.1", **variables: str) -> Header:
    environment = Environment("", "linux", "toy", version, variables=variables)
    return Header.of(Options(environment=environment), TOY, RELEASE)


@pytest.mark.parametrize(("value", "shown"), [("", "5,hard"), ("7", "7,hard")])
def test_the_setting_is_spelled_as_objects_have_it(value: str, shown: str) -> None:
    """Empty is not set."""
    line = wanted(GOTOY=value).expected("")
    assert line == f"go object linux toy go1.99.1 GOTOY={shown} X:arenas,dwarf5"


def test_an_architecture_without_variants() -> None:
    header = Header.of(
        Options(environment=Environment("", "linux", "toy", "go1.99.1")),
        attrs.evolve(TOY, setting=None, regabi=True),
        attrs.evolve(RELEASE, lists=RELEASE.lists._replace(baseline="")),
    )
    assert header.expected("") == "go object linux toy go1.99.1 X:regabiwrappers,regabiargs"


def test_an_unknown_version_is_that_of_the_first_object() -> None:
    """A link outside of a toolchain still does not mix versions."""
    line = wanted("", GOTOY="6").expected("go object linux toy go1.98 GOTOY=1 X:")
    assert line == "go object linux toy go1.98 GOTOY=6,hard X:arenas,dwarf5"


def test_a_setting_that_the_oracle_refuses() -> None:
    with pytest.raises(UserError, match="invalid GOTOY: must be a number") as raised:
        wanted(GOTOY="x")
    assert (raised.value.exit_status, raised.value.label) == (2, "link")


def test_the_error_shows_both_lines_quoted() -> None:
    error = wanted().differs("x.a(y.o)", 'go object "toy"', "go object linux")
    assert error.message.splitlines() == [
        "x.a(y.o): linked object header mismatch:",
        'have "go object \\"toy\\"\\n"',
        'want "go object linux\\n"',
    ]
    assert "GOTOY" in error.remedy


@pytest.mark.parametrize(
    ("magic", "form"),
    [
        ("7f454c46", "elf"),
        ("feedface", "foreign"),
        ("feedfacf", "foreign"),
        ("cefaedfe", "foreign"),
        ("cffaedfe", "foreign"),
        ("64860000", "foreign"),
        ("4c010000", "foreign"),
        ("01d70000", "foreign"),
        ("01f70000", "foreign"),
        ("4243c0de", "unknown"),
        ("", "unknown"),
        ("7f45", "unknown"),
    ],
)
def test_formats_of_c_objects(magic: str, form: str) -> None:
    """ELF; Mach-O, PE and XCOFF; and what only a host linker may know."""
    assert foreign_format(bytes.fromhex(magic)) == form
