"""obfuscate.types: other names for types, as reflection, %T and errors about types have them.

Reflection makes the names of composed types of their parts and looks them up, so "main.T" becomes
another name in "[]main.T" and "func(...main.T)" as well; tags of fields, which are quoted there,
stay. Type strings name a package by its name alone, not by its path: a name that a type of another
package has, too, stays. Arguments of a generic type, "main.G[example.com/lib.T]", have the path.

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

_NAME = re.compile(
    r"(?:(?<![\w.%~+/-])|(?<=\.\.\.))"
    r"(?:[\w%~+-][\w.%~+-]*/)*[\w%~+-]+\.[^\W\d]\w*"
    # In an interface, a method that is not exported: "main.m()".
    r"(?![\w(])"
)
_NAME_OR_TAG = re.compile(rf'"(?:[^"\\]|\\.)*"|{_NAME.pattern}')


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
    texts = [text.decode("utf-8", "surrogateescape") for text in found.strings]
    mine, others = set[bytes](), set[bytes]()
    for name, text in zip(link.symbols.names(found.symbols), texts, strict=True):
        named = _NAME.match(text)
        if named:
            (mine if chosen.has(name.partition(b"[")[0]) else others).add(_bytes(named[0]))
    back: dict[bytes, bytes] = {}

    def other(match: re.Match[str]) -> str:
        name = _bytes(match[0])
        # What is no type's whole string is an argument of one, with its package's path.
        ours = name in mine or (name[:1] != b'"' and chosen.has(b"type:" + name))
        if not ours or name in others:
            return match[0]
        new = secret.type(name)
        back[new] = name
        return new.decode()

    strings = [_bytes(_NAME_OR_TAG.sub(other, text)) for text in texts]
    symbols, relocs = with_type_strings(
        link.symbols, link.relocs, link.objects, link.arch, found, strings
    )
    told = MappingProxyType(back)
    return link.evolve({"symbols": symbols, "relocs": relocs, "obfuscate.types": told})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
