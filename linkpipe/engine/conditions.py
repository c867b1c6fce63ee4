"""Conditions of a pipeline's steps: ``when = { buildmode = ["plugin"], external = true }``.

A condition names a flag of the link, the target (``goos``, ``goarch``), a choice of the release of
Go (``release.typelinks``), or a field of the fact ``mode``. What flags, target and release decide
is decided when the plan is made, before any input is opened; what ``mode`` decides is left to the
runner. Of a flag that is a number, ``true`` is any but 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from linkpipe.engine.pipeline import Step
from linkpipe.engine.plugins import Catalog, suggestion
from linkpipe.flags.options import BUILD_MODES, FLAGS, LINK_MODES, Options
from linkpipe.release import Release
from linkpipe.tables.mode import Mode

# What a condition may ask for, with the type of its values.
_MODE = {field.name: field.type for field in attrs.fields(Mode)}
_TARGET = {"goos": "str", "goarch": "str"}
_FLAGS = {
    field.name: field.type
    for field in attrs.fields(Options)
    if field.name in FLAGS and str(field.type) in ("bool", "int", "str")
}
_RELEASE = {
    f"release.{field.name}": field.type
    for field in attrs.fields(Release)
    if str(field.type) in ("bool", "str") and field.name != "name"
}
_KNOWN = {**_FLAGS, **_TARGET, **_MODE, **_RELEASE}
# Values that there are, where they can be told: any other is a slip, and the pass would silently
# never run.
_VALUES = {"buildmode": BUILD_MODES, "linkmode": LINK_MODES, "goos": ("linux",)}


def decide(
    step: Step, catalog: Catalog, options: Options | None, release: Release | None = None
) -> Mapping[str, tuple[Any, ...]] | None:
    """What the flags leave undecided of a step's conditions; None when they rule it out.

    Raises PipelineError for a condition that there is not, or that could never hold.
    """
    left: dict[str, tuple[Any, ...]] = {}
    ruled_out = False
    for key, wanted in step.when.items():
        _check_condition(step, catalog, key, wanted)
        if key in _MODE:
            left[key] = wanted
        elif key in _RELEASE:
            if release is not None:
                ruled_out |= getattr(release, key.partition(".")[2]) not in wanted
        elif options is not None:
            source = options.environment if key in _TARGET else options
            given = getattr(source, key)
            ruled_out |= not any(
                value == (bool(given) if isinstance(value, bool) else given) for value in wanted
            )
    return None if ruled_out else left


def _check_condition(step: Step, catalog: Catalog, key: str, wanted: tuple[Any, ...]) -> None:
    what = f"condition `{key}` for the pass {step.name}"
    if key not in _KNOWN:
        raise step.error(
            f"unknown {what}",
            "when",
            key,
            remedy=suggestion(key, _KNOWN)
            or "use a flag's name, goos, goarch, a choice of the release (release.…) or a field of "
            f"the fact mode ({', '.join(_MODE)})",
        )
    if not wanted:
        raise step.error(
            f"{what}: no value, so the pass would never run",
            "when",
            key,
            remedy="say which values let it run, or leave the pass out of the pipeline",
        )
    values = catalog.offers("arches") if key == "goarch" else _VALUES.get(key)
    for value in wanted:
        number = isinstance(value, bool) and str(_FLAGS.get(key)) == "int"
        if type(value).__name__ != _KNOWN[key] and not number:
            raise step.error(
                f"{what}: expected {_KNOWN[key]}, found {value!r}",
                "when",
                key,
                remedy="correct the value",
            )
        if values is not None and value not in values:
            raise step.error(
                f"{what}: there is no {key} {value!r}",
                "when",
                key,
                remedy=suggestion(value, values) or f"there are: {', '.join(sorted(values))}",
            )
