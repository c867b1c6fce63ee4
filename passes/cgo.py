"""cgo: carry out what packages with C code ask of the link.

The cgo tool writes directives into a package's object: symbols to import from C objects or
from shared libraries, Go functions to export to C, flags for the host linker, the dynamic
linker to name. Imports become symbols that somebody else defines, exports become roots of
the reachability analysis and keep the name that C knows them by.

Source: cmd/link/internal/ld/go.go:99-262 (loadcgo, setCgoAttr), lib.go:776-803.
`mode` says from here on whether the dynamic linker loads the executable.
Reads `symbols`, `packages`, `mode`; provides `symbols`, `cgo`, `mode`.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import COMMAND, InputError, LinkpipeError, UserError, checkpoint
from linkpipe.flags.goflag import quote
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import CgoFacts, DynamicImport
from linkpipe.tables.packages import CgoDirectives
from linkpipe.tables.symbols import ABI0, ABI_INTERNAL, Flag, SymbolsEdit
from linkpipe.values import evolve

_IMPORTABLE = (
    SymKind.Sxxx,
    SymKind.SXREF,
    SymKind.SBSS,
    SymKind.SNOPTRBSS,
    SymKind.SHOSTOBJ,
)
_ABIS = {"ABI0": ABI0, "ABIInternal": ABI_INTERNAL}
_EXPORTED = Flag.CGO_EXPORT_STATIC | Flag.CGO_EXPORT_DYNAMIC


_REBUILD = "rebuild the package; its cgo directives are damaged or in conflict"


class _Wrong(Exception):
    """A directive that cannot be carried out, and what to do; the rest of the package's are passed
    over."""

    def __init__(self, message: str, remedy: str = _REBUILD) -> None:
        # What a directive says may be anything; a terminal is not to act on it.
        super().__init__(message if message.isprintable() else quote(message)[1:-1])
        self.remedy = remedy


@linkpass(requires=("symbols", "packages", "mode"), provides=("symbols", "cgo", "mode"))
def cgo(link: Link) -> Link:
    """Import from C, export to C, collect flags for the host linker."""
    linkage = link.arch.linkage
    if link.mode.host_objects and not (linkage and linkage.host):
        raise UserError(
            "linking C objects without a host linker is not supported yet "
            f"({link.packages.host_objects[0].name})",
            status=2,
            label="linkpipe",
            remedy="pass -ldflags=-linkmode=external, or build with CGO_ENABLED=0",
        )
    state = _State(link)
    errors: list[LinkpipeError] = []
    for directives in link.packages.cgo:
        try:
            state.carry_out(directives)
        except _Wrong as wrong:
            errors.append(
                InputError(
                    str(wrong),
                    file=directives.file,
                    label=COMMAND,
                    remedy=wrong.remedy,
                )
            )
    checkpoint(errors)
    facts, mode = state.facts(), link.mode
    if not mode.external:
        state.settle_imports()
        moving = link.options.relocatable and not state.static
        mode = evolve(mode, dynamic=facts.dynamic or moving)
        if facts.exports and not mode.dynamic:
            raise InputError(
                "missing Go type information for global symbol .dynsym",
                file=next(iter(facts.exports.values())),
                label=COMMAND,
                expected="an import from a shared library beside the export to them",
                remedy="import something (cgo_import_dynamic), or rebuild the package; a program "
                "that loads no shared library can export nothing to them",
            )
    if mode.dynamic:
        _check_tables(link, state.dynamic)
    return link.evolve(symbols=state.symbols.freeze(), cgo=facts, mode=mode)


def _check_tables(link: Link, file: str) -> None:
    """Refuse what the architecture has no tables for; ``file`` imports from shared libraries."""
    linkage, moving = link.arch.linkage, link.options.relocatable
    if linkage is None or (moving and linkage.relative is None):
        what = f"linking against shared libraries for {link.arch.name}"
        if moving:
            what = f"linking a position-independent executable for {link.arch.name}"
        raise UserError(
            f"{what} without a host linker is not supported yet" + (f" ({file})" if file else ""),
            status=2,
            label="linkpipe",
            remedy="pass -ldflags=-linkmode=external, which takes CGO_ENABLED=1 and a C compiler",
        )


class _State:
    """What the directives have asked for so far."""

    def __init__(self, link: Link) -> None:
        self.options, self.regabi = link.options, link.arch.regabi
        self.external = link.mode.external
        linkage = link.arch.linkage
        self.static = link.options.d and not (linkage and linkage.ignores_d)
        self.symbols: SymbolsEdit = link.symbols.edit()
        self.ldflags: list[str] = []
        self.libraries: list[str] = []
        self.imports: dict[int, DynamicImport] = {}
        self.host: dict[int, None] = {}
        self.names: dict[int, str] = {}
        self.interpreter = ""
        self.dynamic = ""  # the first file that imports from a shared library
        self.exports: dict[int, str] = {}  # with the file that asks for it

    def facts(self) -> CgoFacts:
        return CgoFacts(
            ldflags=tuple(self.ldflags),
            libraries=tuple(self.libraries),
            imports=MappingProxyType(self.imports),
            interpreter=self.interpreter,
            dynamic=bool(self.dynamic),
            exports=MappingProxyType(self.exports),
        )

    def carry_out(self, directives: CgoDirectives) -> None:
        """Carry out one package's directives. Raises _Wrong at the first that cannot be."""
        import json

        try:
            # What stands behind the list is not read.
            rows: Any = json.JSONDecoder().raw_decode(directives.text.lstrip(" \t\r\n"))[0]
        except (ValueError, RecursionError) as e:
            raise _Wrong(f"{directives.file}: failed decoding cgo directives: {e}") from e
        if not isinstance(rows, list) or not all(
            isinstance(row, list) and row and all(isinstance(word, str) for word in row)
            for row in rows
        ):
            raise _Wrong(f"{directives.file}: failed decoding cgo directives: no list of lists")
        for row in rows:
            # As Go reads JSON: halves of characters, and bytes that are not UTF-8, are U+FFFD.
            row = [re.sub("[\ud800-\udfff]", "\ufffd", word) for word in row]
            words = row[1:]
            match row[0], len(words):
                case "cgo_import_dynamic", 1 | 2 | 3:
                    self._import_dynamic(directives.file, *words)
                case "cgo_import_static", 1:
                    self._import_static(words[0])
                case "cgo_export_static", 1 | 2 | 3:
                    self._export(Flag.CGO_EXPORT_STATIC, row, *words)
                case "cgo_export_dynamic", 1 | 2 | 3:
                    sym = self._export(Flag.CGO_EXPORT_DYNAMIC, row, *words)
                    if sym:
                        self.exports.setdefault(sym, directives.file)
                case "cgo_dynamic_linker", 1:
                    self._dynamic_linker(words[0])
                case "cgo_ldflag", 1 if not (self.external and "\0" in words[0]):
                    self.ldflags.append(words[0])
                case _:
                    text = " ".join(map(quote, row))
                    raise _Wrong(f"{directives.file}: invalid cgo directive: [{text}]")

    def _import_dynamic(
        self, file: str, local: str, remote: str | None = None, library: str = ""
    ) -> None:
        remote = local if remote is None else remote
        if self.static:
            raise _Wrong(f"{file}: cannot use dynamic imports with -d flag", "leave out -d")
        if local == remote == "_":
            self.dynamic = self.dynamic or file
            self.libraries.append(library)
            return
        name, _, version = remote.partition("#")
        sym = self.symbols.lookup_or_create(local)
        kind = int(self.symbols.kind[sym])
        if kind not in _IMPORTABLE:
            return
        self.imports[sym] = DynamicImport(name, library, version)
        self._name(sym, name)
        if kind == SymKind.SHOSTOBJ:
            self.host[sym] = None
        else:
            self.symbols.set(sym, kind=SymKind.SDYNIMPORT)
        self.dynamic = self.dynamic or file

    def _import_static(self, local: str) -> None:
        sym = self.symbols.lookup_or_create(local)
        self.symbols.set(sym, kind=SymKind.SHOSTOBJ, size=0)
        self.host[sym] = None

    def _export(
        self, flag: Flag, row: list[str], local: str, remote: str | None = None, abi: str = "ABI0"
    ) -> int:
        """Export a symbol and return it; 0 for one that is not to be exported."""
        remote = local if remote is None else remote
        if abi not in _ABIS:
            raise _Wrong(f"bad ABI in cgo_export directive [{' '.join(row)}]")
        version = _ABIS[abi] if self.regabi else ABI0
        sym = self.symbols.lookup_or_create(local, version)
        if self.symbols.kind[sym] == SymKind.SHOSTOBJ:
            self.host[sym] = None
        library = self.options.buildmode in ("c-shared", "c-archive", "plugin")
        if library and sym == self.symbols.lookup("main"):
            return 0
        if sym in self.imports and self.imports[sym].library:
            # An export overrides an import.
            del self.imports[sym]
            self.symbols.set(sym, kind=SymKind.Sxxx)
            self._name(sym, "")
        if not int(self.symbols.flags[sym]) & _EXPORTED:
            self._name(sym, remote)
        elif self.names[sym] != remote:
            raise _Wrong(
                f"conflicting cgo_export directives: {local} as {self.names[sym]} and {remote}"
            )
        self.symbols.add_flags(sym, flag)
        return sym

    def _dynamic_linker(self, path: str) -> None:
        if self.options.I:
            return
        if self.interpreter not in ("", path):
            raise _Wrong(f"conflict dynlinker: {self.interpreter} and {path}")
        self.interpreter = path

    def _name(self, sym: int, name: str) -> None:
        # Who is given no name keeps its own.
        given = name.encode("utf-8", "surrogateescape") or self.symbols.name_bytes(sym)
        self.names[sym] = given.decode("utf-8", "surrogateescape")
        self.symbols.set_extname(sym, given)

    def settle_imports(self) -> None:
        """What was to come from C objects comes from shared libraries, or from nowhere; those that
        are linked here will define theirs."""
        for sym in self.host:
            if self.symbols.kind[sym] == SymKind.SHOSTOBJ:
                found = sym in self.imports and self.imports[sym].library
                exported = int(self.symbols.flags[sym]) & _EXPORTED
                kind = SymKind.SDYNIMPORT if found and not exported else SymKind.Sxxx
                self.symbols.set(sym, kind=kind)
