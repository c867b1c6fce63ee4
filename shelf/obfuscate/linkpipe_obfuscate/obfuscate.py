"""obfuscate: other names for functions and source files in the runtime's tables.

`-ldflags="-s -w"` drops the symbol table and debug information; what is left of names is in the
pclntab, which the runtime itself needs. It is asked there by tracebacks, runtime.Caller and
profiles alone, so other names do no harm: each becomes a keyed hash of what it was. Which file a
name stands for depends on the object, so the files that chosen objects list are renamed, but for
those in which other functions begin.

    rename   xpqrst.xabcdef…, and a map that leads back
    remove   "?", which the runtime leaves out of tracebacks; "?.(*?).?" where it has to find a
             receiver in the name, of what calls runtime.panicwrap (runtime/error.go)
    keep     as it is

It stands directly behind pclntab.
Reads `symbols`, `relocs`, `packages`, `objects`, `pclntab`, `function_data`; provides `symbols`,
`pclntab`, `function_data`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import numpy as np

from linkpipe.api import (
    I64,
    Bool,
    FunctionNames,
    Link,
    UserError,
    linkpass,
    read_function_names,
    with_function_names,
    write_text,
)
from linkpipe_obfuscate.chosen import Chosen
from linkpipe_obfuscate.secret import read_secret

_WAYS = ("rename", "remove", "keep")
_GONE, _GONE_WRAPPER = b"?", b"?.(*?).?"


@attrs.frozen
class ObfuscateOptions:
    """Attributes:
    key: a file with at least 16 bytes that nobody can guess.
    packages: patterns as the go command has them; none: all but the standard library's.
    names, files: "rename", "remove" or "keep".
    map: the file to write, which leads from new names back.
    """

    key: Path | None = None
    packages: tuple[str, ...] = ()
    names: str = attrs.field(default="rename", validator=attrs.validators.in_(_WAYS))
    files: str = attrs.field(default="rename", validator=attrs.validators.in_(_WAYS))
    map: Path | None = None


@linkpass(
    name="obfuscate",
    requires=("symbols", "relocs", "packages", "objects", "pclntab", "function_data"),
    optional=("funcdata", "section_groups", "obfuscate.types"),
    provides=("symbols", "pclntab", "function_data"),
    options=ObfuscateOptions,
    inputs=("key",),
)
def obfuscate(link: Link, options: ObfuscateOptions) -> Link:
    """Hide the names of functions and files."""
    if link.has("funcdata") or link.has("section_groups"):
        raise UserError(
            "obfuscate: others have read the runtime's tables already",
            remedy='let it stand directly behind pclntab: after = "pclntab"',
            status=2,
            label="linkpipe",
        )
    secret, chosen = read_secret(options.key), Chosen(link, options.packages)
    found = read_function_names(link.symbols, link.pclntab, link.function_data, link.arch)
    hidden = np.array([chosen.has(name) for name in found.names], np.bool_)
    names, functions = _other(found.names, np.flatnonzero(hidden), options.names, secret.function)
    if options.names == "remove":
        wrappers = _wrappers(link, found)
        names = tuple(
            _GONE_WRAPPER if new == _GONE and row in wrappers else new
            for row, new in enumerate(names)
        )
    rows = _files(found, hidden[found.function])
    files, places = _other(found.files, rows, options.files, secret.file)
    edit = link.symbols.edit()
    tables, data = with_function_names(
        edit,
        link.pclntab,
        link.function_data,
        attrs.evolve(found, names=names, files=files),
        link.arch,
    )
    if options.map is not None:
        types = link.fact("obfuscate.types") if link.has("obfuscate.types") else {}
        write_text(options.map, _map(functions=functions, files=places, types=types))
    return link.evolve(symbols=edit.freeze(), pclntab=tables, function_data=data)


def _other(
    texts: tuple[bytes, ...], rows: I64, way: str, rename: Callable[[bytes], bytes]
) -> tuple[tuple[bytes, ...], Mapping[bytes, bytes]]:
    """The texts with other ones in these rows, and new name -> old one."""
    out, back = list(texts), dict[bytes, bytes]()
    for row in rows.tolist() if way != "keep" else ():
        out[row] = rename(texts[row]) if way == "rename" else _GONE
        if way == "rename" and back.setdefault(out[row], texts[row]) != texts[row]:
            raise UserError("obfuscate: two names become one", remedy="use another key")
    return tuple(out), back


def _wrappers(link: Link, found: FunctionNames) -> set[int]:
    """The rows of the names of functions that call runtime.panicwrap, maybe by a trampoline."""
    targets = np.unique(link.relocs.target)
    called = targets[link.symbols.starts_with(targets, b"runtime.panicwrap")]
    callers = link.relocs.owner()[np.isin(link.relocs.target, called)]
    return set(found.function[np.isin(link.pclntab.functions, callers)].tolist())


def _files(found: FunctionNames, hidden: Bool) -> I64:
    """The rows of the files that objects with hidden functions list, and no other function begins
    in: int64[k]. ``hidden`` bool[n] says which functions are."""
    unit, listed = found.unit, found.listed
    starts = np.unique(unit[unit >= 0])
    owner = np.searchsorted(starts, np.arange(len(listed)), side="right") - 1
    mine = np.isin(starts, unit[hidden])[owner] & (listed >= 0)
    rows = np.setdiff1d(listed[mine], found.file[~hidden])
    made = [row for row in rows.tolist() if found.files[row].startswith(b"<")]
    return np.setdiff1d(rows, np.array(made, np.int64))


def _map(**parts: Mapping[bytes, bytes]) -> str:
    """New names and the old ones, by sort; JSON."""
    told = {
        sort: {_word(new): _word(old) for new, old in sorted(names.items())}
        for sort, names in parts.items()
    }
    return json.dumps(told, indent=1) + "\n"


def _word(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
