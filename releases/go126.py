"""Go 1.26: data of functions is a block among the function tables, and these lie before relro."""

from __future__ import annotations

from types import MappingProxyType

import attrs

from linkpipe.release import Carrier, SectionRule
from linkpipe.releases import go125
from linkpipe.releases.go126_lists import LISTS
from linkpipe.symkind import SymKind

_BEFORE = go125.RELEASE
_STRINGS, _BITS, _FUNCTIONS, _, _TYPES = _BEFORE.groups
_CARRIERS = {carrier.name: carrier for carrier in _BEFORE.carriers}
_AT = 1 + [rule.kinds for rule in _BEFORE.writable].index((SymKind.SELFSECT,))
_ENDS = 1 + _BEFORE.module_fields.index("gofunc")

RELEASE = attrs.evolve(
    _BEFORE,
    name="1.26",
    lists=LISTS,
    plugins_checked=True,
    version_separator="-",
    tells_experiments=False,
    needed_experiments=MappingProxyType({}),
    kind_mask=0xFF,
    header_text=False,
    stated_tables=True,
    own_funcdata=False,
    findfunctab_kind=SymKind.SPCLNTAB,
    markers=tuple(row for row in _BEFORE.markers if row[0] != "runtime.esymtab"),
    groups=(
        _STRINGS,
        _BITS,
        _FUNCTIONS._replace(carrier="go:funcdesc", relro_carrier="go:funcdescrel"),
        _TYPES,
    ),
    carriers=(
        _CARRIERS["type:*"],
        _CARRIERS["typerel.*"],
        _CARRIERS["go:string.*"],
        Carrier("go:funcdesc", SymKind.SGOFUNC),
        _CARRIERS["runtime.gcbits.*"],
        Carrier("go:funcdescrel", SymKind.SGOFUNCRELRO, relro=True),
    ),
    end_markers=(),
    module_fields=(*_BEFORE.module_fields[:_ENDS], "epclntab", *_BEFORE.module_fields[_ENDS:]),
    module_kind=SymKind.SMODULEDATA,
    unit_words=True,
    writable=(
        *_BEFORE.writable[:_AT],
        SectionRule(".go.module", (SymKind.SMODULEDATA,), optional=True),
        *_BEFORE.writable[_AT:],
    ),
    constant=(
        _BEFORE.constant[0],
        SectionRule(".gopclntab", (SymKind.SPCLNTAB,)),
        *_BEFORE.constant[1:],
    ),
    last=_BEFORE.last[:2],
    sorted_headers=True,
    debug_names=MappingProxyType({}),
    unrelocated=(*_BEFORE.unrelocated, ".gopclntab"),
    pretty_types=(*_BEFORE.pretty_types[:4], "MapType", *_BEFORE.pretty_types[4:-1]),
    strip_debug=True,
    probe_keep=_BEFORE.probe_keep | {"--target"},
    probe_prefixes=(*_BEFORE.probe_prefixes, "--target"),
)
