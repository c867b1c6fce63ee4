"""Conditions of a pipeline's steps: ``when = { buildmode = ["plugin"], external = true }``.

A condition names a flag of the link, the target (``goos``, ``goarch``), or a field of the fact
``mode``. What flags and target decide is decided when the plan is made, before any input is opened;
what ``mode`` decides is left to the runner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from linkpipe.engine.pipeline import Step
from linkpipe.engine.plugins import suggestion
from linkpipe.flags.options import FLAGS, Options
from linkpipe.tables.mode import Mode

# What a condition may ask for, with the type of its values.
_MODE = {field.name: field.type for field in attrs.fields(Mode)}
_TARGET = {"goos": "str", "goarch": "str"}
_FLAGS = {field.name: field.type for field in attrs.fields(Options) if field.name in FLAGS}


def decide(step: Step, options: Options | None) -> Mapping[str, tuple[Any, ...]] | None:
    """What the flags leave undecided of a step's conditions; None when they rule it out.

    Raises PipelineError for a condition that there is not, or that could never hold.
    """
    left: dict[str, tuple[Any, ...]] = {}
    for key, wanted in step.when.items():
        _check_condition(step, key, wanted)
        if key in _MODE:
            left[key] = wanted
        elif options is not None:
            source = options.environment if key in _TARGET else options
            if getattr(source, key) not in wanted:
                return None
    return left


def _check_condition(step: Step, key: str, wanted: tuple[Any, ...]) -> None:
    known = {**_FLAGS, **_TARGET, **_MODE}
    if key not in known:
        raise step.error(
            f"unknown condition `{key}` for the pass {step.name}",
            "when",
            remedy=suggestion(key, known)
            or f"use a flag's name, goos, goarch or a field of the fact mode ({', '.join(_MODE)})",
        )
    expected = known[key]
    for value in wanted:
        # A value of another type would never hold, and the pass silently never run.
        if expected in ("bool", "int", "str") and type(value).__name__ != expected:
            raise step.error(
                f"condition `{key}` for the pass {step.name}: expected {expected}, found {value!r}",
                "when",
                remedy="correct the value",
            )
