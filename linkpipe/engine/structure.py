"""Options of a pass: from a pipeline's TOML table to the pass's attrs class, by cattrs.

Imported only when a pipeline sets options.
"""

from __future__ import annotations

from typing import Any, TypeVar

import cattrs

T = TypeVar("T")

_CONVERTER = cattrs.Converter(forbid_extra_keys=True)


def _exactly(value: Any, wanted: Any) -> Any:
    """cattrs would turn "3" into 3 and anything into a string; a wrong type is an error here."""
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise TypeError(f"expected {wanted.__name__}, found {value!r}")
    return wanted(value)


for _primitive in (str, int, float, bool):
    _CONVERTER.register_structure_hook(_primitive, _exactly)


def structure(table: dict[str, Any], options: type[T]) -> T:
    """Make the options value. Raises ValueError with one line for each wrong option."""
    try:
        return _CONVERTER.structure(table, options)
    except cattrs.BaseValidationError as e:
        lines = cattrs.transform_error(e, path="", format_exception=_words)
        raise ValueError("; ".join(lines)) from e
    except (TypeError, ValueError) as e:
        raise ValueError(str(e)) from e


def _words(error: BaseException, type_: type | None) -> str:
    return str(error)
