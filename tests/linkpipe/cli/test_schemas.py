"""docs/schemas: what they say is what the values are, and what the commands print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.linkpipe.cli.schemas import FOLDER, checked
from tests.linkpipe.cli.test_asking import BINARIES, COMMANDS, of_deep
from tools.schemas import PRINTED, schema

MORE: dict[str, tuple[str, ...]] = {
    "report": ("report", "SAME"),
    "save": ("save", "--output", "SAVED"),
    "size-against": ("size", "--against", "SAME"),
    "whatif-rank": ("whatif", "--rank", "reflect,main.run"),
}
"""Forms of others than COMMANDS, or that these print when they are asked otherwise: command, and
what it is asked."""


ERRORS = ("error", "explain")
"""Forms that are about errors; see test_asking.py."""
PLANS = ("installed", "passes-explain")
"""Forms that are about no link; see test_passes.py."""
SIDE_BY_SIDE = "why-no-dce-releases"
"""The form for several toolchains; see test_releases.py."""
BISECT = "bisect"
"""The form about pipelines; see tests/linkpipe/ask/test_bisect.py."""
CHANGES = "changes"
"""The form of a log of a link; see tests/linkpipe/observe/test_changes.py."""
SERVER = "server"
"""The form that is about no program; see tests/linkpipe/server."""


def name(form: str) -> str:
    return form.partition("/")[0]


@pytest.mark.parametrize("form", PRINTED)
def test_files_are_made_of_the_values(form: str) -> None:
    """`python -m tools.schemas` writes them."""
    text = (FOLDER / f"{name(form)}.json").read_text()
    assert json.loads(text) == schema(form)


def test_every_form_has_a_schema() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {
        *COMMANDS,
        *MORE,
        *BINARIES,
        SIDE_BY_SIDE,
        SERVER,
        CHANGES,
        BISECT,
        *ERRORS,
        *PLANS,
    }


@pytest.mark.parametrize(
    "form",
    [
        form
        for form in PRINTED
        if name(form) not in (SIDE_BY_SIDE, SERVER, CHANGES, BISECT, *ERRORS, *PLANS)
    ],
)
def test_commands_print_what_they_say(tmp_path: Path, form: str) -> None:
    command, *args = MORE.get(name(form), (name(form), *COMMANDS.get(name(form), ())))
    done = of_deep(tmp_path, command, *args, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    assert checked(done.stdout)["schema"] == f"linkpipe.{form}"
