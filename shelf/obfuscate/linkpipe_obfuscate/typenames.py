"""obfuscate.types: other names for types, as reflection, %T and errors about types have them.

Reflection makes the names of composed types of their parts and looks them up, so "main.T" becomes
another name in "[]main.T" and "func(main.T)" as well. Type strings name a package by its last part
alone: a name that a type of another package has, too, stays.

It stands between reachability and the passes that sort types by their names.
Reads `symbols`, `relocs`, `objects`, `packages`; provides `symbols`, `relocs`, `obfuscate.types`,
new name -> the old one.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

import attrs

from linkpipe.api import Link, UserError, linkpass, read_types, with_type_strings
from linkpipe_obfuscate.chosen import Chosen
from linkpipe_obfuscate.secret import read_secret

_NAME = re.compile(rb"(?<![\w./\"])[^\W\d]\w*\.[^\W\d]\w*")


@attrs.frozen
class TypesOptions:
    """Attributes:
    key: a file with at least 16 bytes that nobody can guess; that of the pass obfuscate.
    packages: patterns as the go command has them; none: all but the standard library's.
    """

    key: Path | None = None
    packages: tuple[str, ...] = ()


@linkpass(
    name="obfuscate.types",
    requires=("symbols", "relocs", "objects", "packages"),
    optional=("pclntab",),
    provides=("symbols", "relocs", "obfuscate.types"),
    options=TypesOptions,
    inputs=("key",),
)
def types(link: Link, options: TypesOptions) -> Link:
    """Hide the names of types."""
    if link.has("pclntab") or link.symbols.lookup("runtime.typelink"):
        raise UserError(
            "obfuscate.types: types have been sorted by their names already",
            remedy='let it stand behind reachability: after = "reach-final"',
            status=2,
            label="linkpipe",
        )
    secret, chosen = read_secret(options.key), Chosen(link, options.packages)
    found = read_types(link.symbols, link.relocs, link.objects, link.arch)
    mine, others = set[bytes](), set[bytes]()
    for name, text in zip(link.symbols.names(found.symbols), found.strings, strict=True):
        named = _NAME.match(text)
        if named:
            (mine if chosen.has(name) else others).add(named[0])
    back: dict[bytes, bytes] = {}

    def other(name: re.Match[bytes]) -> bytes:
        if name[0] not in mine or name[0] in others:
            return name[0]
        new = secret.type(name[0])
        back[new] = name[0]
        return new

    strings = [_NAME.sub(other, text) for text in found.strings]
    symbols, relocs = with_type_strings(
        link.symbols, link.relocs, link.objects, link.arch, found, strings
    )
    told = MappingProxyType(back)
    return link.evolve({"symbols": symbols, "relocs": relocs, "obfuscate.types": told})
