"""The reference pages of the site (tools/site.py), made of the code: nothing here is written by
hand. Those that are read beside the other pages, without the site, stand in docs/reference, too:

    python -m tools.reference       # writes these; a test holds them to the code
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.places import standings
from linkpipe.engine.plan import Plan, make_plan
from linkpipe.engine.plugins import Catalog
from tools.reference import columns, commandline, given, plugins, stages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

SHIPPED = (
    "api",
    "architecture",
    "barriers",
    "facts",
    "hooks",
    "options",
    "passes",
    "release",
    "tables",
)
"""Pages for who writes passes."""


def pages() -> dict[str, str]:
    """Every page of the reference: its name in the site -> Markdown."""
    plan = default_plan()
    found = {
        "reference/passes": stages.passes(plan),
        "reference/barriers": stages.barriers(plan),
        "reference/facts": stages.facts(plan),
        "reference/tables": columns.tables(plan),
        "reference/options": given.options(),
        "reference/architecture": given.architecture(),
        "reference/release": given.release(),
        "reference/hooks": plugins.hooks(),
        "reference/api": plugins.promised(),
        "reference/flags": commandline.flags(),
        "reference/commands": commandline.commands(),
        "reference/schemas": commandline.forms(),
        "errors/index": commandline.errors(),
    }
    about = {each.name: each for each in standings(plan)}
    for planned in plan.passes:
        text = stages.one_pass(plan, planned, about[planned.name])
        found[f"reference/passes/{planned.name}"] = text
    for name, command in commandline.all_commands():
        found[f"reference/commands/{name}"] = commandline.one_command(name, command)
    return found


def shipped() -> dict[Path, str]:
    """The pages that stand in docs/reference; links to what stands on the site alone are words."""
    found = pages()

    def one(match: re.Match[str]) -> str:
        words, target = match.groups()
        file = FOLDER / target.partition("#")[0]
        return match[0] if file.stem in SHIPPED or file.exists() else words

    return {
        FOLDER / f"{name}.md": re.sub(r"\[([^\[\]]+)\]\((?!\w+:)([^()\s]+)\)", one, text)
        for name in SHIPPED
        for text in (found[f"reference/{name}"],)
    }


@cache
def default_plan() -> Plan:
    """The whole default pipeline, whatever the flags."""
    return make_plan(load_pipeline("", Catalog()), Catalog())
