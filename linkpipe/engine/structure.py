"""Options of passes and observers: from what was written down to the attrs class that declares
them, typed and checked.

A pipeline file writes typed values (TOML); a flag writes text, which `typed` reads by the option's
type first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from linkpipe.errors import UserError

_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def make_options(
    owner: str, options: type[Any] | None, values: Mapping[str, Any], folder: str = ""
) -> Any:
    """The options value of ``owner`` ("the pass note"), None where it takes no options. A relative
    Path among them starts from ``folder``.

    Raises UserError: an option that is not known (the known ones are named), a wrong type, and
    what the class itself refuses.
    """
    if options is None:
        if values:
            raise _wrong(
                f"unknown option `{next(iter(values))}`: {owner} has no options",
                "leave it out",
            )
        return None
    known = [field.name for field in attrs.fields(options)]
    for name in values:
        if name not in known:
            from linkpipe.engine.plugins import suggestion

            near = suggestion(name, known)
            has = f"it has: {', '.join(known)}"
            raise _wrong(f"unknown option `{name}` for {owner}", f"{near} {has}".strip())
    try:
        return _structure(dict(values), options, folder) if values else options()
    except (TypeError, ValueError) as e:
        raise _wrong(f"options of {owner}: {e}", "correct the value") from e


def typed(values: Mapping[str, str], options: type[Any] | None) -> dict[str, Any]:
    """Texts as values of the options' types: "true" or "false", a number, several words of which
    "+" separates one from the next. What cannot be read so is left for `make_options` to refuse."""
    hints = get_type_hints(options) if options is not None else {}
    return {name: _typed(text, hints.get(name)) for name, text in values.items()}


def absolute(values: Mapping[str, Any], options: type[Any] | None, folder: str) -> dict[str, Any]:
    """The values, with those of options that are a Path, or several, as seen from ``folder``."""
    hints = get_type_hints(options) if options is not None else {}
    return {name: _absolute(value, hints.get(name), folder) for name, value in values.items()}


def _absolute(value: Any, wanted: Any, folder: str) -> Any:
    from pathlib import Path

    wanted = _wanted(wanted)
    if isinstance(value, str) and wanted is Path:
        return os.path.join(folder, value)
    if isinstance(value, (list, tuple)) and get_args(wanted):
        return [_absolute(item, get_args(wanted)[0], folder) for item in value]
    return value


def _wanted(hint: Any) -> Any:
    """A type without the None that may stand in its place."""
    args = [each for each in get_args(hint) if each is not NoneType]
    return args[0] if len(args) == 1 and NoneType in get_args(hint) else hint


def _typed(text: str, wanted: Any) -> Any:
    wanted = _wanted(wanted)
    if wanted is bool:
        return _BOOLS.get(text, text)
    if wanted is int or wanted is float:
        try:
            return wanted(text)
        except ValueError:
            return text
    if get_origin(wanted) in (tuple, list):
        return [_typed(word, get_args(wanted)[0]) for word in text.split("+")]
    return text


def _structure(values: dict[str, Any], options: type[Any], folder: str) -> Any:
    """The options, by cattrs, which few links have to import."""
    import cattrs

    try:
        return _converter(folder).structure(values, options)
    except cattrs.BaseValidationError as e:
        lines = cattrs.transform_error(e, path="", format_exception=lambda error, _: str(error))
        raise ValueError("; ".join(lines)) from e


@cache
def _converter(folder: str) -> Any:
    from pathlib import Path

    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    for primitive in (str, int, float, bool):
        converter.register_structure_hook(primitive, _exactly)
    converter.register_structure_hook(Path, lambda value, _: folder / Path(_exactly(value, str)))
    return converter


def _exactly(value: Any, wanted: Any) -> Any:
    """cattrs would turn "3" into 3 and anything into a string; a wrong type is an error here."""
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise TypeError(f"expected {wanted.__name__}, found {value!r}")
    return wanted(value)


def _wrong(message: str, remedy: str) -> UserError:
    return UserError(message, status=2, label="linkpipe", remedy=remedy)
