"""A table while it is changed."""

from __future__ import annotations

from typing import Any


class Edit:
    """Base of edits: a writable successor of a table, until ``freeze`` makes a table of it.

    Then the edit is closed. It has given away what it held, and to use it is an error.
    """

    def _close(self) -> None:
        vars(self).clear()

    def __getattr__(self, name: str) -> Any:
        if vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise RuntimeError(
            f"{type(self).__name__}: this edit is closed, a table was made of it; "
            "open another one: table.edit()"
        )
