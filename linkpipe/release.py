"""What a release of Go is to a linker: a frozen value, as an architecture is.

A pass asks ``link.release`` for what it needs: where function data lives, which markers there are,
how the fields of the module data are ordered. It never asks which Go this is. The values stand in
``releases/``, one file for each minor release: the oldest is whole, each later one evolves from the
one before. Numbers of the object format are translated into linkpipe's own while objects are read
(``ObjectFormat``), so that a release that counts anew touches no pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import attrs

from linkpipe import reloctype
from linkpipe.errors import UserError
from linkpipe.symkind import SymKind

if TYPE_CHECKING:
    from linkpipe.arrays.types import U8, U16

REGABI = ("regabiwrappers", "regabiargs")
"""Experiments that are on where the architecture has a register ABI and off elsewhere, whatever
GOEXPERIMENT says."""

_FREE = 1 << 12
"""Above all numbers of relocation types."""
_FLAG2 = (
    "UsedInIface", "Itab", "Dict", "PkgInit", "Linkname", "LinknameStd", "ABIWrapper", "WasmExport"
)  # fmt: skip
"""linkpipe's own order of the second byte of flags: bits 8 to 15 of tables.symbols.Flag."""


class ObjectFormat(NamedTuple):
    """How a release's objects are read: from its numbers to linkpipe's own, and the two measures of
    its type descriptors that have changed.

    ``relocs`` uint16[32768] (a type without the weak bit), ``kinds`` uint8[256] (symbol kinds;
    what is unknown is Sxxx), ``flag2`` uint8[256] (a symbol's second byte of flags); ``builtins``:
    their names, by number; ``map_words``: words of a map's descriptor after the common head;
    ``kind_mask``: the bits of a descriptor's byte for the kind that are the kind.
    """

    relocs: U16
    kinds: U8
    flag2: U8
    builtins: tuple[str, ...]
    map_words: int
    kind_mask: int


class Lists(NamedTuple):
    """What is nothing but data, as ``python -m tools.release`` reads it from a toolchain's source:
    words with white space between them, but for ``builtins``, which has one a line.

    ``relocs``: names of the relocation types in objects, by number from 1 on; ``object_kinds``: of
    the symbol kinds, by number; ``flag2``: what the bits of a symbol's second byte of flags mean,
    from bit 0 on; ``builtins``: symbols that objects know by number, "!" before those of ABI0;
    ``blocked_linknames``: packages and the names that they alone may pull by
    linkname; ``runtime_packages``: what the runtime is made of, a name that ends with a slash for
    all below it; ``experiments``: in the order in which objects name them; ``baseline``: those on
    by default, but for the ones that follow the register ABI; ``flags``: of its linker.
    """

    relocs: str
    object_kinds: str
    flag2: str
    builtins: str
    blocked_linknames: tuple[tuple[str, str], ...]
    runtime_packages: str
    experiments: str
    baseline: str
    flags: str


class Group(NamedTuple):
    """Read-only symbols that lie together, and the symbol that carries them.

    Those of the kinds ``among`` whose name starts with one of ``prefixes`` or ends with one of
    ``suffixes``, all of the kinds ``whole`` but carriers, and interface tables if ``itabs``, are
    laid out as ``kind``; in a link with relro
    as ``relro_kind`` and carried by ``relro_carrier``, where these are given. Other modules of a
    link with dynamic Go code look for the ``visible`` by name: they stay in the symbol table, and
    without a carrier, but for the ``carried`` in a link without relro.
    """

    carrier: str
    kind: SymKind
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    whole: tuple[SymKind, ...] = ()
    itabs: bool = False
    among: tuple[SymKind, ...] = (SymKind.SRODATA, SymKind.SGOFUNC)
    relro_kind: SymKind | None = None
    relro_carrier: str = ""
    visible: bool = False
    carried: bool = False


class Carrier(NamedTuple):
    """A symbol that stands for others in the symbol table.

    ``relro``: only in a link with relro; ``alone``: only where no other module looks for what it
    would carry; ``local``: nobody outside sees it; ``aligned``: to the size of a pointer.
    """

    name: str
    kind: SymKind
    relro: bool = False
    alone: bool = False
    local: bool = True
    aligned: bool = True


class SectionRule(NamedTuple):
    """A section of data, or one for each symbol where there is no name.

    ``kinds`` are laid out one after the other; the section's alignment is the largest of the
    first ``aligned`` of them. ``optional`` sections are left out when they would be empty.
    ``lead`` bytes are left free at the start, "word" for the size of a pointer.
    """

    name: str
    kinds: tuple[SymKind, ...]
    optional: bool = False
    zeros: bool = False
    aligned: int = 1
    lead: str = ""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Release:
    """A minor release of Go.

    Attributes:
        name: "1.27".

        lists: its generated lists.
        assembly_linknames: whether references from assembly are checked, too, and definitions may
            be pushed to the standard library alone.
        plain_wins: of two definitions of a name, whether one that may be repeated yields to one
            that may not; else the larger of them stands.
        plugins_checked: whether a program opens no plugins, whatever it imports, where the platform
            has none.
        version_separator: what stands between the version and its experiments in
            runtime.buildVersion.
        forced_headers: whether -f lets objects of any kind in.
        tells_experiments: whether -V=goexperiment names all of them, on or off.
        response_lines: whether a response file has an argument a line, instead of GCC's rules.

        least_text_align: whether a function is aligned to the function alignment at least; else
            what it states counts alone.
        abihash_size: bytes of the hash by which a shared library is known.
        hash_mask: the linker's hash is SHA-256 with its first byte xored with this; name_at: from
            which byte on six of a hash stand for a long type name.

        needed_experiments: those that have to be on, and what is different without.

        map_words: words of a map's type descriptor after the common head.
        kind_mask: the bits of a type descriptor's kind that are the kind.

        header_text: whether the header of the function tables has the address of the text.
        stated_tables: whether the function tables state their alignments; else these follow from
            their sizes.
        own_funcdata: whether data of functions are symbols among read-only data; else they are
            laid out in one block among the function tables.
        findfunctab_kind: of the runtime's index from addresses to functions.

        markers: the symbols at both ends of sections in order of creation, with their kinds; None
            for what gets content later.
        groups: what lies together, in the order in which names are looked at; carriers: what
            stands for them, in order of creation.
        end_markers: sections and the names of the markers at their ends, beside those that every
            release has.
        module_fields: of the module data, in order, up to ``hasmain``; module_kind: the kind of
            the module data; unit_words: whether a slice of runtime.cutab counts words, not bytes.
        typelinks: whether types that reflection looks up are listed in a table of their own, and
            interface tables in another; else they lie in order.
        writable, constant, relocated, last: rules of the sections of data: of those that can be
            written to, of read-only ones, of data with addresses (named with the relro prefix),
            and of what follows them.
        relro_moves: kinds of data that become relro, beside read-only data with relocations.
        types_section: the section whose ends runtime.types and etypes mark; "" for the one that
            types share with other data.
        aligned_counters: whether counters of coverage start at a multiple of their size.

        sorted_headers: whether an executable's section headers are sorted by address, and its
            section names are those that it has, suffixes shared; else both stand in the order in
            which the oracle makes them, names for sections that there might be, too.
        debug_names: what the names of debug sections end in where all names are listed, with DWARF
            5 (True) and without.
        unrelocated: sections of an object that have no section for their relocations.
        pretty_types: types of internal/abi by which debuggers look into interfaces.

        strip_debug: whether the host linker is told to drop debug information for -w.
        probe_skip, probe_keep, probe_prefixes: flags that do not matter for whether the C compiler
            takes another one, with their argument; those that do, with their argument; and those
            that do when they start so.
    """

    name: str

    lists: Lists
    assembly_linknames: bool
    plain_wins: bool
    plugins_checked: bool
    version_separator: str
    forced_headers: bool
    tells_experiments: bool
    response_lines: bool
    least_text_align: bool
    abihash_size: int
    hash_mask: int
    name_at: int
    needed_experiments: Mapping[str, str]

    map_words: int
    kind_mask: int

    header_text: bool
    stated_tables: bool
    own_funcdata: bool
    findfunctab_kind: SymKind

    markers: tuple[tuple[str, SymKind | None], ...]
    groups: tuple[Group, ...]
    carriers: tuple[Carrier, ...]
    end_markers: tuple[tuple[str, str, str], ...]
    module_fields: tuple[str, ...]
    module_kind: SymKind
    unit_words: bool
    typelinks: bool
    writable: tuple[SectionRule, ...]
    constant: tuple[SectionRule, ...]
    relocated: tuple[SectionRule, ...]
    last: tuple[SectionRule, ...]
    relro_moves: Mapping[SymKind, SymKind]
    types_section: str
    aligned_counters: bool

    sorted_headers: bool
    debug_names: Mapping[bool, tuple[str, ...]]
    unrelocated: tuple[str, ...]
    pretty_types: tuple[str, ...]

    strip_debug: bool
    probe_skip: frozenset[str]
    probe_keep: frozenset[str]
    probe_prefixes: tuple[str, ...]

    def enabled(
        self, goexperiment: str, *, regabi: bool, off: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
        """The experiments that are on for an architecture, which has a register ABI or not, in
        the order in which objects name them. ``goexperiment`` is the variable of that name, and
        those ``off`` are not on by default.

        Raises UserError for one that there is not, and where one is off that has to be on.
        """
        known, on = self.lists.experiments.split(), set(self.lists.baseline.split()) - off
        for word in filter(None, goexperiment.split(",")):
            if word == "none":
                on.clear()
                continue
            name = word.removeprefix("no")
            if name in (*REGABI, "regabi"):
                continue
            if name not in known:
                raise UserError(f"unknown GOEXPERIMENT {name}", status=2, label="link")
            if word == name:
                on.add(name)
            else:
                on.discard(name)
        for name, without in self.needed_experiments.items():
            if name not in on:
                raise UserError(
                    f"GOEXPERIMENT=no{name} is not supported: {without}",
                    status=2,
                    label="linkpipe",
                    remedy="leave it out of GOEXPERIMENT",
                )
        on |= set(REGABI) if regabi else set()
        return tuple(name for name in known if name in on)

    def told(self, goexperiment: str, *, regabi: bool, off: frozenset[str]) -> str:
        """All experiments, "no" before those that are off (see ``enabled``)."""
        on = self.enabled(goexperiment, regabi=regabi, off=off)
        names = self.lists.experiments.split()
        return ",".join(name if name in on else f"no{name}" for name in names)

    def changed(self, goexperiment: str) -> str:
        """Experiments that differ from the default, as runtime.buildVersion names them."""
        on, default = (self.enabled(text, regabi=False) for text in (goexperiment, ""))
        return ",".join(
            name if name in on else f"no{name}"
            for name in self.lists.experiments.split()
            if (name in on) != (name in default)
        )

    def build_version(self, version: str, goexperiment: str) -> str:
        """The value of runtime.buildVersion: "go1.27.3", or "go1.27.3-X:arenas"."""
        changed = self.changed(goexperiment)
        separator = " " if "-" in version else self.version_separator
        return f"{version}{separator}X:{changed}" if changed else version

    def hash(self, text: bytes) -> bytes:
        """The linker's own hash (cmd/internal/hash): 32 bytes."""
        from hashlib import sha256

        digest = sha256(text).digest()
        return bytes([digest[0] ^ self.hash_mask]) + digest[1:]

    def is_runtime(self, path: str) -> bool:
        """Whether a package is one that the runtime is made of; their code lies first."""
        return path in self._runtime or (
            bool(self._below) and path.startswith(self._below) and not path.endswith("_test")
        )

    @cached_property
    def _runtime(self) -> frozenset[str]:
        return frozenset(self.lists.runtime_packages.split())

    @cached_property
    def _below(self) -> tuple[str, ...]:
        return tuple(name for name in self._runtime if name.endswith("/"))

    @cached_property
    def flags(self) -> frozenset[str]:
        """The flags of its linker."""
        return frozenset(self.lists.flags.split())

    @cached_property
    def builtins(self) -> tuple[tuple[bytes, int], ...]:
        """(name, ABI) of each builtin symbol, by number."""
        return tuple(
            (name.removeprefix("!").encode(), int(not name.startswith("!")))
            for name in self.lists.builtins.strip().splitlines()
        )

    @cached_property
    def blocked_linknames(self) -> Mapping[str, tuple[str, ...]]:
        """Name -> the packages that alone may pull it by linkname."""
        pairs = self.lists.blocked_linknames
        return MappingProxyType(
            {name: tuple(packages.split()) for packages, names in pairs for name in names.split()}
        )

    def object_format(self, relocs: Mapping[str, int]) -> ObjectFormat:
        """How its objects are read. ``relocs`` are linkpipe's numbers of an architecture's own
        relocation types, by name.

        A type that is neither of these nor generic keeps its number, or gets one that no other has:
        it is refused where it is applied.
        """
        import numpy as np  # the answer to -V does without

        own = {**reloctype.NUMBERS, **relocs}
        taken = frozenset(own.values())
        types = np.arange(1 << 15, dtype=np.uint16)
        for number, name in enumerate(self.lists.relocs.split(), 1):
            types[number] = own.get(name, number if number not in taken else _FREE + number)
        names = self.lists.object_kinds.split()
        kinds = np.zeros(256, np.uint8)
        kinds[: len(names)] = [SymKind[name] for name in names]
        flag2, bits = np.zeros(256, np.uint8), np.arange(256)
        for bit, name in enumerate(self.lists.flag2.split()):
            flag2 |= (((bits >> bit) & 1) << _FLAG2.index(name)).astype(np.uint8)
        builtins = tuple(name.decode() for name, _ in self.builtins)
        for array in (types, kinds, flag2):
            array.setflags(write=False)
        return ObjectFormat(types, kinds, flag2, builtins, self.map_words, self.kind_mask)
