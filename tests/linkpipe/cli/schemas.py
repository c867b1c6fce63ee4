"""The schemas in docs/schemas: an answer in JSON is what its schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"


def checked(text: str) -> Any:
    """What a command printed with ``--format json``, held to the schema that it names."""
    told = json.loads(text)
    name, _, version = told["schema"].removeprefix("linkpipe.").partition("/")
    schema = json.loads((FOLDER / f"{name}.json").read_text())
    assert schema["properties"]["schema"]["const"] == f"linkpipe.{name}/{version}"
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(told)
    return told
