"""strdata: give string variables the values of -X.

``-X importpath.name=value`` sets a variable that the program declares as a string; a
variable that is not there, or that nothing reaches, is passed over in silence. The bytes go
into a new read-only symbol ``NAME.str``, and the variable becomes a pointer to it and a
length. Its size is kept (sanitizers leave a red zone behind it).

Three definitions are implicit: runtime.defaultGOROOT, runtime.buildVersion and (from the
importcfg) runtime.modinfo. Definitions are carried out in order of first mention, each name
with its last value. The variable that -k names is set last, to the fields that `fieldtrack` found;
where it has a value already, they are written behind that, and the variable begins with it, as in
the oracle.

Source: cmd/link/internal/ld/data.go:1236-1294, go.go:400 (fieldtrack).
Reads `symbols`, `relocs`, `objects`, `packages`, `tracked` if it is there; provides `symbols`,
`relocs`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, LinkpipeError, checkpoint
from linkpipe.formats.goobj import AUX_GOTYPE
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "relocs", "objects", "packages"),
    optional=("tracked",),
    provides=("symbols", "relocs"),
)
def strdata(link: Link) -> Link:
    """Set string variables named by -X."""
    ptrsize = link.arch.ptrsize
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    errors: list[LinkpipeError] = []
    written: dict[str, bytes] = {}
    for name, value, told in _definitions(link):
        sym = link.symbols.lookup(name)
        if told and not (sym and link.symbols.has(sym, Flag.REACHABLE)):
            continue
        if told and not is_text(link.symbols.kind[sym]):
            symbols.set(sym, kind=SymKind.SDATA)
        gotype = _gotype(link, sym) if sym else 0
        if not gotype:
            continue
        type_name = link.symbols.name(gotype)
        if type_name != "type:string":
            errors.append(
                InputError(
                    f"{name}: cannot set with -X: not a var of type string ({type_name})",
                    remedy="-X sets variables declared as string, without a function call as value",
                    status=2,
                )
            )
            continue
        if not link.symbols.has(sym, Flag.REACHABLE):
            continue
        symbols.own(name)
        if link.symbols.kind[sym] == SymKind.SBSS:
            symbols.set(sym, kind=SymKind.SDATA)
        text = symbols.own(f"{name}.str")
        written[name] = written.get(name, b"") + value + b"\0"
        symbols.set_content(text, written[name])
        symbols.set(text, kind=SymKind.SRODATA)
        symbols.add_flags(text, Flag.REACHABLE)
        header = bytes(ptrsize) + len(value).to_bytes(ptrsize, link.arch.byteorder)
        symbols.set_content(sym, header, grow=False)
        relocs.clear(sym)
        relocs.add(sym, offset=0, size=ptrsize, type=R_ADDR, target=text)
    checkpoint(errors)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())


def _definitions(link: Link) -> list[tuple[str, bytes, bool]]:
    """Symbol names and values, implicit definitions first; whether it is what -k names."""
    environment, modinfo = link.options.environment, link.packages.modinfo
    values: dict[str, bytes] = {}
    if environment.goroot:
        values["runtime.defaultGOROOT"] = _encode(environment.goroot)
    values["runtime.buildVersion"] = _encode(
        link.release.build_version(environment.go_version, environment.goexperiment)
    )
    if modinfo is not None:
        values["runtime.modinfo"] = modinfo
    for definition in link.options.X:
        variable, _, value = definition.partition("=")
        package, _, name = variable.rpartition(".")
        values[f"{path_to_prefix(package)}.{name}"] = _encode(value)
    found = [(name, value, False) for name, value in values.items()]
    if link.options.k and link.has("tracked"):
        found.append((link.options.k, link.tracked, True))
    return found


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _gotype(link: Link, sym: int) -> int:
    """The type descriptor of a variable, 0 when the compiler gave it none."""
    rows = [sym]
    auxs = link.objects.auxs(link.symbols.object[rows], link.symbols.local[rows])
    found = auxs.target[auxs.type == AUX_GOTYPE]
    return int(found[0]) if len(found) else 0
