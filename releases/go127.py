"""Go 1.27: types lie in order in a section of their own, instead of being listed."""

from __future__ import annotations

from types import MappingProxyType

import attrs

from linkpipe.release import Carrier, Group, SectionRule
from linkpipe.releases import go126
from linkpipe.releases.go127_lists import LISTS
from linkpipe.symkind import SymKind

_BEFORE = go126.RELEASE
# Types and function values have sections of their own.
_READ_ONLY = tuple(
    kind for kind in _BEFORE.constant[0].kinds if kind not in (SymKind.STYPE, SymKind.SGOFUNC)
)
_MASKS = ("runtime.gcmask.*", SymKind.SNOPTRBSS)
_AT = 1 + [name for name, _ in _BEFORE.markers].index("runtime.enoptrbss")

_FIELDS = """
    pcHeader funcnametab cutab filetab pctab pclntable ftab findfunctab minpc maxpc text etext
    noptrdata enoptrdata data edata bss ebss noptrbss enoptrbss covctrs ecovctrs end gcdata gcbss
    types typedesclen etypes itaboffset itabsize rodata gofunc epclntab textsectmap ptab
    pluginpath pkghashes inittasks modulename modulehashes
""".split()

RELEASE = attrs.evolve(
    _BEFORE,
    name="1.27",
    lists=LISTS,
    assembly_linknames=True,
    plain_wins=True,
    forced_headers=True,
    response_lines=False,
    map_words=11,
    markers=(*_BEFORE.markers[:_AT], _MASKS, *_BEFORE.markers[_AT:]),
    groups=(
        Group("runtime.gcmask.*", SymKind.SGCMASK, ("type:.gcmask.",), among=(SymKind.SNOPTRBSS,)),
        Group("go:string.*", SymKind.SGOSTRING, ("go:string.",)),
        Group("runtime.gcbits.*", SymKind.SGCBITS, ("runtime.gcbits.",)),
        Group("go:funcdesc", SymKind.SGOFUNC, suffixes=("·f",), visible=True),
        Group("type:*", SymKind.STYPE, ("type:",), itabs=True, visible=True),
    ),
    carriers=(
        Carrier("type:*", SymKind.STYPE, local=False),
        Carrier("go:string.*", SymKind.SGOSTRING),
        Carrier("go:funcdesc", SymKind.SGOFUNC),
        Carrier("runtime.gcbits.*", SymKind.SGCBITS),
        Carrier("runtime.gcmask.*", SymKind.SGCMASK),
    ),
    module_fields=tuple(_FIELDS),
    typelinks=False,
    writable=tuple(
        rule
        if rule.name != ".noptrbss"
        else rule._replace(kinds=(SymKind.SNOPTRBSS, SymKind.SGCMASK, SymKind.SCOVERAGE_COUNTER))
        for rule in _BEFORE.writable
    ),
    constant=(
        SectionRule(".rodata", _READ_ONLY, aligned=len(_READ_ONLY)),
        *_BEFORE.constant[1:],
    ),
    relocated=(
        SectionRule("", (SymKind.SRODATARELRO,), optional=True),
        SectionRule(".go.type", (SymKind.STYPE,), lead="word"),
        SectionRule(".go.func", (SymKind.SGOFUNC,)),
    ),
    last=(),
    relro_moves=MappingProxyType({}),
    types_section=".go.type",
    aligned_counters=True,
    probe_skip=frozenset("-F -l -framework -Wl,-framework -Wl,-rpath -Wl,-undefined".split()),
    probe_keep=frozenset(
        "-B -L -arch -isysroot --sysroot -target --target -resource-dir -rtlib --rtlib -stdlib "
        "--stdlib -unwindlib --unwindlib".split()
    ),
    probe_prefixes=tuple(
        "-B -L -f -m -p -Wl, -arch -isysroot --sysroot -target --target -resource-dir -rtlib "
        "--rtlib -stdlib --stdlib -unwindlib --unwindlib -nostdlib++ -nostdlib -nodefaultlibs "
        "-nostartfiles -nostdinc++ -nostdinc -nobuiltininc".split()
    ),
)
