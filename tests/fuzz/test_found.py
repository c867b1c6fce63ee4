"""What the campaign found stays mended: both linkers get the same damaged input again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.programs import scratch
from tests.conformance.tools import HINT, need
from tests.fuzz.bases import names
from tests.fuzz.cases import Case
from tests.fuzz.server import Server
from tests.fuzz.verdicts import BAD, BAD_TOGETHER, exceptions, verdict_of

FOUND = tomllib.loads(Path(__file__).with_name("found.toml").read_text())["found"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    import shutil

    server = Server(scratch())
    yield server
    server.close()
    shutil.rmtree(server.folder)


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found["name"].replace(" ", "-"))
def test_what_was_found_is_mended(found: dict[str, Any], server: Server) -> None:
    """None of the bad classes, whichever it was."""
    assert found["was"] in BAD
    need("" if found["base"] in names() else f"no C compiler for {found['base']}: {HINT}")
    case = Case.of(found)
    told = verdict_of(server, case, compared=True)
    said = f"{told.ours.said}\nthe oracle: {told.theirs and told.theirs.said}"
    assert not told.verdict.bad, f"{told.verdict.name}: {said}"


def test_exceptions_are_few_and_have_reasons() -> None:
    assert len(exceptions()) <= 10
    assert all(
        entry.why and {*entry.verdict.split("|")} <= {*BAD_TOGETHER} for entry in exceptions()
    )
    assert all((entry.ours and entry.theirs) or entry.only for entry in exceptions())
