"""Variables that packages declare and the linker fills."""

from __future__ import annotations

from collections.abc import Sequence

from linkpipe.errors import InputError
from linkpipe.tables.symbols import SymbolsEdit


def own_variable(edit: SymbolsEdit, name: str, files: Sequence[str]) -> int:
    """The id of that symbol of the linker's own; ``files`` are the objects' names. Raises
    InputError where a package gives it content: the oracle refers to what that refers to, and
    leaves it out of the program."""
    sym = edit.own(name)
    if edit.object[sym] and edit.data_size[sym]:
        raise InputError(
            f"{name} is a table of the linker's own, and a package defines it with content",
            file=files[int(edit.object[sym])],
            remedy="rebuild the package; the file is damaged",
        )
    return sym
