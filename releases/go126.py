"""Go 1.26, the oldest release here: it is whole, later ones say what they changed.

Sources: cmd/link/internal/ld (symtab.go, data.go, lib.go, elf.go), cmd/link/internal/loader and
runtime/symtab.go of that release.
"""

from __future__ import annotations

from types import MappingProxyType

from linkpipe.release import Carrier, Group, Release, SectionRule
from linkpipe.releases.go126_lists import LISTS
from linkpipe.symkind import SymKind

_NOPTRDATA = (
    SymKind.SNOPTRDATA,
    SymKind.SNOPTRDATAFIPSSTART,
    SymKind.SNOPTRDATAFIPS,
    SymKind.SNOPTRDATAFIPSEND,
    SymKind.SNOPTRDATAEND,
)
_DATA = (
    SymKind.SDATA,
    SymKind.SDATAFIPSSTART,
    SymKind.SDATAFIPS,
    SymKind.SDATAFIPSEND,
    SymKind.SDATAEND,
)
_READ_ONLY = (
    SymKind.STYPE,
    SymKind.SSTRING,
    SymKind.SGOSTRING,
    SymKind.SGOFUNC,
    SymKind.SGCBITS,
    SymKind.SRODATA,
    SymKind.SRODATAFIPSSTART,
    SymKind.SRODATAFIPS,
    SymKind.SRODATAFIPSEND,
    SymKind.SRODATAEND,
)
_RELRO = (SymKind.STYPERELRO, SymKind.SGOFUNCRELRO, SymKind.SRODATARELRO)

_FIELDS = """
    pcHeader funcnametab cutab filetab pctab pclntable ftab findfunctab minpc maxpc text etext
    noptrdata enoptrdata data edata bss ebss noptrbss enoptrbss covctrs ecovctrs end gcdata gcbss
    types etypes rodata gofunc epclntab textsectmap typelinks itablinks ptab pluginpath pkghashes
    inittasks modulename modulehashes
""".split()

RELEASE = Release(
    name="1.26",
    lists=LISTS,
    assembly_linknames=False,
    plain_wins=False,
    version_separator="-",
    forced_headers=False,
    response_lines=True,
    map_words=8,
    kind_mask=0xFF,
    markers=(
        ("runtime.rodata", SymKind.SRODATA),
        ("runtime.erodata", SymKind.SRODATAEND),
        ("runtime.types", SymKind.SRODATA),
        ("runtime.etypes", SymKind.SRODATA),
        ("runtime.noptrdata", SymKind.SNOPTRDATA),
        ("runtime.enoptrdata", SymKind.SNOPTRDATAEND),
        ("runtime.data", SymKind.SDATA),
        ("runtime.edata", SymKind.SDATAEND),
        ("runtime.bss", SymKind.SBSS),
        ("runtime.ebss", SymKind.SBSS),
        ("runtime.noptrbss", SymKind.SNOPTRBSS),
        ("runtime.enoptrbss", SymKind.SNOPTRBSS),
        ("runtime.covctrs", SymKind.SNOPTRBSS),
        ("runtime.ecovctrs", SymKind.SNOPTRBSS),
        ("runtime.end", SymKind.SBSS),
        ("runtime.epclntab", SymKind.SRODATA),
        # The programs that tell the garbage collector where pointers are get content later, so
        # they are laid out like other data; their ends are markers.
        ("runtime.gcdata", None),
        ("runtime.egcdata", SymKind.SRODATA),
        ("runtime.gcbss", None),
        ("runtime.egcbss", SymKind.SRODATA),
    ),
    groups=(
        Group("go:string.*", SymKind.SGOSTRING, ("go:string.",)),
        Group("runtime.gcbits.*", SymKind.SGCBITS, ("runtime.gcbits.", "type:.gcprog.")),
        Group(
            "go:funcdesc",
            SymKind.SGOFUNC,
            suffixes=("·f",),
            relro_kind=SymKind.SGOFUNCRELRO,
            relro_carrier="go:funcdescrel",
            visible=True,
            carried=True,
        ),
        Group(
            "type:*",
            SymKind.STYPE,
            ("type:",),
            relro_kind=SymKind.STYPERELRO,
            relro_carrier="typerel.*",
            visible=True,
        ),
    ),
    carriers=(
        Carrier("type:*", SymKind.STYPE, alone=True, local=False),
        Carrier("typerel.*", SymKind.STYPERELRO, relro=True, alone=True, local=False),
        Carrier("go:string.*", SymKind.SGOSTRING),
        Carrier("go:funcdesc", SymKind.SGOFUNC),
        Carrier("runtime.gcbits.*", SymKind.SGCBITS),
        Carrier("go:funcdescrel", SymKind.SGOFUNCRELRO, relro=True),
    ),
    module_fields=tuple(_FIELDS),
    typelinks=True,
    writable=(
        SectionRule("", (SymKind.SBUILDINFO,)),
        SectionRule("", (SymKind.SFIPSINFO,)),
        SectionRule("", (SymKind.SELFSECT,)),
        SectionRule(".go.module", (SymKind.SMODULEDATA,), optional=True),
        SectionRule(".got", (SymKind.SELFGOT,), optional=True),
        SectionRule(".noptrdata", _NOPTRDATA),
        SectionRule(".init_array", (SymKind.SINITARR,), optional=True),
        SectionRule(".data", _DATA),
        SectionRule(".bss", (SymKind.SBSS,), zeros=True),
        SectionRule(".noptrbss", (SymKind.SNOPTRBSS, SymKind.SCOVERAGE_COUNTER), zeros=True),
        SectionRule(".go.fuzzcntrs", (SymKind.SLIBFUZZER_8BIT_COUNTER,), optional=True, zeros=True),
    ),
    constant=(
        SectionRule(".rodata", _READ_ONLY, aligned=len(_READ_ONLY)),
        SectionRule(".gopclntab", (SymKind.SPCLNTAB,)),
        SectionRule("", (SymKind.SELFROSECT,)),
    ),
    relocated=(SectionRule("", _RELRO, optional=True, aligned=len(_RELRO), lead="byte"),),
    last=(
        SectionRule(".typelink", (SymKind.STYPELINK,)),
        SectionRule(".itablink", (SymKind.SITABLINK,)),
    ),
    relro_moves=MappingProxyType({SymKind.STYPE: SymKind.STYPERELRO}),
    types_section="",
    aligned_counters=False,
    strip_debug=True,
    probe_skip=frozenset("-F -l -L -framework -Wl,-framework -Wl,-rpath -Wl,-undefined".split()),
    probe_keep=frozenset("-arch -isysroot --sysroot -target --target".split()),
    probe_prefixes=tuple("-f -m -p -Wl, -arch -isysroot --sysroot -target --target".split()),
)
