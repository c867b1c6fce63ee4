"""Go 1.24, the oldest release here: it is whole, later ones say what they changed.

Sources: cmd/link/internal/ld (symtab.go, data.go, lib.go, elf.go), cmd/link/internal/loader and
runtime/symtab.go of that release.
"""

from __future__ import annotations

from types import MappingProxyType

from linkpipe.release import Carrier, Group, Release, SectionRule
from linkpipe.releases.go124_lists import LISTS
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
    types etypes rodata gofunc textsectmap typelinks itablinks ptab pluginpath pkghashes
    inittasks modulename modulehashes
""".split()

_FUNCDATA_ENDS = tuple(
    ".opendefer .arginfo0 .arginfo1 .argliveinfo .wrapinfo .args_stackmap .stkobj".split()
)
_DEBUG = tuple("abbrev frame info loc line gdb_scripts".split())
_PRETTY = tuple(
    "Type ArrayType ChanType FuncType PtrType SliceType StructType InterfaceType ITab "
    "Imethod".split()
)

RELEASE = Release(
    name="1.24",
    lists=LISTS,
    assembly_linknames=False,
    plain_wins=False,
    plugins_checked=False,
    version_separator=" ",
    forced_headers=False,
    tells_experiments=True,
    response_lines=True,
    least_text_align=False,
    abihash_size=20,
    hash_mask=0x01,
    name_at=4,
    needed_experiments=MappingProxyType({"swissmap": "types of maps have another form"}),
    map_words=8,
    kind_mask=0x1F,
    header_text=True,
    stated_tables=False,
    own_funcdata=True,
    findfunctab_kind=SymKind.SRODATA,
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
        ("runtime.esymtab", SymKind.SRODATA),
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
            "go:func.*",
            SymKind.SGOFUNC,
            suffixes=("·f",),
            relro_kind=SymKind.SGOFUNCRELRO,
            relro_carrier="go:funcrel.*",
            visible=True,
            carried=True,
        ),
        Group(
            "go:func.*",
            SymKind.SGOFUNC,
            ("gcargs.", "gclocals.", "gclocals·"),
            _FUNCDATA_ENDS,
            whole=(SymKind.SGOFUNC,),
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
        Carrier("go:func.*", SymKind.SGOFUNC),
        Carrier("runtime.gcbits.*", SymKind.SGCBITS),
        Carrier("go:funcrel.*", SymKind.SGOFUNCRELRO, relro=True),
        Carrier("runtime.symtab", SymKind.SSYMTAB, aligned=False),
    ),
    end_markers=((".gosymtab", "runtime.symtab", "runtime.esymtab"),),
    module_fields=tuple(_FIELDS),
    module_kind=SymKind.SNOPTRDATA,
    unit_words=False,
    typelinks=True,
    writable=(
        SectionRule("", (SymKind.SBUILDINFO,)),
        SectionRule("", (SymKind.SFIPSINFO,)),
        SectionRule("", (SymKind.SELFSECT,)),
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
        SectionRule("", (SymKind.SELFROSECT,)),
    ),
    relocated=(SectionRule("", _RELRO, optional=True, aligned=len(_RELRO), lead="byte"),),
    last=(
        SectionRule(".typelink", (SymKind.STYPELINK,)),
        SectionRule(".itablink", (SymKind.SITABLINK,)),
        SectionRule(".gosymtab", (SymKind.SSYMTAB,)),
        SectionRule(".gopclntab", (SymKind.SPCLNTAB,)),
    ),
    relro_moves=MappingProxyType({SymKind.STYPE: SymKind.STYPERELRO}),
    types_section="",
    aligned_counters=False,
    sorted_headers=False,
    debug_names=MappingProxyType({False: (*_DEBUG, "ranges")}),
    unrelocated=(".shstrtab", ".tbss"),
    pretty_types=(*_PRETTY, "SwissMapType"),
    strip_debug=False,
    probe_skip=frozenset("-F -l -L -framework -Wl,-framework -Wl,-rpath -Wl,-undefined".split()),
    probe_keep=frozenset("-arch -isysroot --sysroot -target".split()),
    probe_prefixes=tuple("-f -m -p -Wl, -arch -isysroot --sysroot -target".split()),
)
