"""What an architecture provides: constants, a table of relocation kinds, a few writers.

An architecture is one frozen value in one file under ``arches/``, registered as an entry point of
the group ``linkpipe.arches``. Generic code reads its fields and never asks for its name.

A relocation kind is described for *many places at once*: its kernel gets arrays and returns an
array, so a link applies some dozens of groups instead of a million relocations. The generic kinds
(`GENERIC`, from cmd/link/internal/ld/data.go, relocsym) hold on every architecture; an
architecture says what they become in an ELF object and adds those of its own instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal

import attrs
import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.linkage import Linkage
from linkpipe.values import Shown, Value


class Range(Enum):
    """Which values fit the field that a relocation patches, by the oracle's rule."""

    SIGNED = "pc-relative"
    """Two's complement of the field's width."""
    EITHER = "non-pc-relative"
    """Signed or unsigned of the field's width."""
    ADDRESS = "address"
    """As EITHER, but a 4-byte field on a 64-bit machine must stay below 2 GiB: the hardware
    extends its sign."""


class Unreachable(Enum):
    """What a relocation does whose target is not part of the link."""

    ERROR = "error"
    """It is an error, unless the relocation is weak."""
    THROW = "throw"
    """A weak one points to runtime.unreachableMethod instead."""
    MINUS_ONE = "minus one"
    """The field becomes -1, which the runtime knows as "no method"."""
    SKIP = "skip"
    """A weak one is left alone."""


@attrs.frozen(eq=False, repr=False)
class Places(Shown):
    """The places of one group of relocations: same kind, same width; arrays of equal length.

    Attributes:
        image: uint8[filesize], writable, the output so far.
        at: int64[n], offset of each place in ``image``.
        P: int64[n], address of each place.
        S: int64[n], address of each target (0 where there is none).
        A: int64[n], addends.
        base: int64[n], address of the target's section; for text that of the first text section.
        target_size: int64[n], bytes.
        width: bytes patched.
        tls_offset: from the thread pointer to the runtime's thread-local word.
        got: address of the global offset table, 0: none.
        index: int64[n], the index of each target in its unit's table of addresses, where the kind
            asks for it (see RelocKind.leb128).
    """

    image: U8
    at: I64
    P: I64
    S: I64
    A: I64
    base: I64
    target_size: I64
    width: int
    tls_offset: int
    got: int
    index: I64 = attrs.field(factory=lambda: np.zeros(0, np.int64))


Kernel = Callable[[Places], I64]
"""Values for places: int64[n]."""


@attrs.frozen(eq=False, repr=False)
class Sum(Value):
    """The kernel S + A, which most kinds have; linkpipe applies it without asking for each place.

    Attributes:
        place: whether it counts from the end of the field: less P + w.
        base: whether it counts from the target's section: less its base.
    """

    place: bool = False
    base: bool = False

    def __call__(self, p: Places) -> I64:
        """The values, as every kernel tells them."""
        value = p.S + p.A
        if self.place:
            value = value - (p.P + p.width)
        return value - p.base if self.base else value


@attrs.frozen(eq=False, repr=False)
class Index(Value):
    """The kernel of kinds with the target's index; applied as Sum is."""

    def __call__(self, p: Places) -> I64:
        """The indices of the targets, -1: none."""
        return p.index


@attrs.frozen(eq=False, repr=False)
class ElfType(Value):
    """One relocation of an ELF object that stands for (a part of) a Go relocation.

    Attributes:
        type: its number in the psABI.
        offset: added to the place, bytes.
        addend: added to the addend.
        imported: the type instead for targets that other modules define; None: the same.
        bare: whether it names no symbol, as those that lead to the global offset table may.
        label: whether it names, in place of the target, a label at Go's place, for it belongs to
            the relocation there; its addend is 0 then. The labels are symbols of the object (the
            pass labels).
        only: which places it is for, by the addends of Go's relocations; None: for all.
    """

    type: int
    offset: int = 0
    addend: int = 0
    imported: int | None = None
    bare: bool = False
    label: bool = False
    only: Callable[[I64], Bool] | None = None


def _by_release(changes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType({name: MappingProxyType(dict(changes[name])) for name in changes})


def _frozen(types: Mapping[int, tuple[ElfType, ...]]) -> Mapping[int, tuple[ElfType, ...]]:
    return MappingProxyType(dict(types))


@attrs.frozen(eq=False, repr=False)
class ElfRule(Value):
    """What a relocation kind becomes in the object for the host linker.

    Attributes:
        types: width in bytes -> the ELF relocations; a width that is missing is an error.
        in_section: whether a target in the place's own section is resolved here, with no ELF
            relocation.
        pcrel: whether the addend counts from the end of the place (its width is subtracted), and
            for targets that are undefined here is that alone.
        section_relative: the addend is the target's offset in its section, and the ELF symbol is
            the section's own (references between debug sections).
        stored: whether the addend is written into the place too, even when the record has one.
        untouched: whether the place keeps what the compiler wrote (an instruction).
        encode: what is stored, from the addend of Go's relocation and that of the ELF relocation;
            None: the latter.
    """

    types: Mapping[int, tuple[ElfType, ...]] = attrs.field(converter=_frozen)
    in_section: bool = False
    pcrel: bool = False
    section_relative: bool = False
    stored: bool = False
    untouched: bool = False
    encode: Callable[[I64, I64], I64] | None = None


@attrs.frozen(eq=False, repr=False)
class RelocKind(Shown):
    """One relocation type.

    Attributes:
        name: as in cmd/internal/objabi, "R_PCREL".
        formula: in the psABI's letters; ``w`` is the width of the field.
        value: the kernel, in bytes; None: never applied by this linker itself.
        range: which values fit.
        unreachable: what becomes of it when its target is not part of the link.
        elf: for external links; None: resolved here even then.
        in_section: whether the value counts from the start of the target's section, which
            therefore needs to be in one.
        leb128: whether the value is stored as an unsigned LEB128 number that fills the field.
        unit: bytes in which the field counts; the value, and an addend that is stored in the
            place of an ELF relocation, are divided by it, and must be multiples.
        addend: the bytes that an addend stands for; None: it is that number.
        reach: the farthest that a target may be from its place, bytes; None: what fits the field.
        reaches: what has to be within ``reach``, an offset from the thread pointer; None: the
            distance from the place to the target.
        low_bits: how many of the target's lowest bits must be zero, because an instruction leaves
            them out; or what tells it for each place, int64[n].
        prepare: ``prepare(places)`` makes the instruction around each place one that takes the
            value, before that is put there, and returns where the value can be put: bool[n].
        bound: whether a kind with ``prepare`` is applied in executables that are bound to an
            address, too, not in position-independent ones alone.
        around: how many bytes before and behind the field it reads or writes.
        refusal: what is said where it cannot be, in the oracle's words; ``{0}`` are the bytes
            before the field, ``{1}`` is what stands in it.
        shortcut: whether the target is a trampoline (Trampolines.unsure), which is left out where
            that to which it leads turns out to be in ``reach``.
        hosted: for a kind without a kernel: whether it is one that a host linker can resolve, in
            code that is not bound to an address.
        own: whether the linker's own code alone has it; objects with one are damaged.
    """

    name: str
    formula: str
    value: Kernel | None
    range: Range = Range.EITHER
    unreachable: Unreachable = Unreachable.ERROR
    elf: ElfRule | None = None
    in_section: bool = False
    leb128: bool = False
    unit: int = 1
    addend: Callable[[I64], I64] | None = None
    reach: int | None = None
    reaches: Kernel | None = None
    low_bits: int | Callable[[Places], I64] = 0
    prepare: Callable[[Places], Bool] | None = None
    bound: bool = False
    around: tuple[int, int] = (0, 0)
    refusal: str = ""
    shortcut: bool = False
    hosted: bool = False
    own: bool = False

    @property
    def plain(self) -> bool:
        """Whether the value, or an index, is put into the field as it is, and nothing else is
        asked."""
        asked = (self.addend, self.reach, self.prepare, self.low_bits or None)
        filled = self.leb128 and not isinstance(self.value, Index)
        unusual = filled or self.shortcut or self.own or self.unit != 1
        return not unusual and all(one is None for one in asked)


GENERIC: Mapping[int, RelocKind] = MappingProxyType(
    {
        rt.R_ADDR: RelocKind("R_ADDR", "S + A", Sum(), Range.ADDRESS, Unreachable.THROW),
        rt.R_ADDROFF: RelocKind(
            "R_ADDROFF",
            "S + A - base",
            Sum(base=True),
            unreachable=Unreachable.SKIP,
            in_section=True,
        ),
        rt.R_METHODOFF: RelocKind(
            "R_METHODOFF",
            "S + A - base",
            Sum(base=True),
            unreachable=Unreachable.MINUS_ONE,
            in_section=True,
        ),
        rt.R_CALL: RelocKind("R_CALL", "S + A - (P + w)", Sum(place=True), Range.SIGNED),
        rt.R_PCREL: RelocKind("R_PCREL", "S + A - (P + w)", Sum(place=True), Range.SIGNED),
        rt.R_GOTPCREL: RelocKind("R_GOTPCREL", "S + A - (P + w)", Sum(place=True)),
        rt.R_SIZE: RelocKind("R_SIZE", "size + A", lambda p: p.target_size + p.A),
        rt.R_CONST: RelocKind("R_CONST", "A", lambda p: p.A),
        rt.R_GOTOFF: RelocKind("R_GOTOFF", "S + A - GOT", lambda p: p.S + p.A - p.got),
        rt.R_DWARFSECREF: RelocKind(
            "R_DWARFSECREF", "S + A - base", Sum(base=True), in_section=True
        ),
        **{
            number: RelocKind(f"R_DWTXTADDR_U{width}", "index", Index(), leb128=True)
            for width, number in enumerate(rt.DWTXTADDR, 1)
        },
        rt.R_TLS_LE: RelocKind("R_TLS_LE", "TLS + A", lambda p: p.A + p.tls_offset),
        rt.R_TLS_IE: RelocKind("R_TLS_IE", "TLS", None, hosted=True),
    }
)
"""Relocation types that mean the same everywhere (cmd/link/internal/ld/data.go:245-600)."""


def with_elf(rules: Mapping[int, ElfRule]) -> Mapping[int, RelocKind]:
    """The generic kinds, with what each becomes in this architecture's ELF objects."""
    kinds = dict(GENERIC)
    for number, rule in rules.items():
        kinds[number] = attrs.evolve(kinds[number], elf=rule)
    return MappingProxyType(kinds)


@attrs.frozen(eq=False, repr=False)
class StubReloc(Value):
    """A relocation of a stub.

    Attributes:
        offset: of its field in the code, bytes; size: of the field, bytes.
        type: its type.
        target: "moduledata", "addmoduledata", or a symbol's name; in a trampoline it is always the
            function that was called.
        add: its addend.
    """

    offset: int
    size: int
    type: int
    target: str
    add: int = 0


@attrs.frozen(eq=False, repr=False)
class Stub(Value):
    """A piece of code that the linker writes.

    Attributes:
        code: the bytes.
        relocs: what is patched in them.
    """

    code: bytes
    relocs: tuple[StubReloc, ...]


@attrs.frozen(eq=False, repr=False)
class Trampolines(Shown):
    """How calls reach targets that are too far: they jump to a trampoline near by.

    Attributes:
        limit: bytes of code up to which every call reaches every target ("TrampLimit").
        size: the most that a trampoline takes, bytes.
        far: ``far(distance, add, external)``: whether a call with this addend cannot reach a target
            so many bytes away.
        near: ``near(distance)``: whether it can reach a trampoline.
        offset: from the addend of a call to where it leads, bytes from its target's start.
        label: from that to the middle of the trampoline's name.
        call: from the addend of a call to that which it has once it leads to a trampoline.
        write: ``write(offset, imported, dynlink, pic)``: the code; its relocations are all to the
            target, which another module may define (``imported``); ``dynlink`` and ``pic`` as in
            Mode. Raises ValueError when there is none.
        sections: whether an object for a host linker must part code larger than ``limit`` in
            sections.
        calls: the types of the calls that they are for; None: all that are direct calls. The others
            reach everything.
        host: the types of C compilers' calls that they are for, by number in the psABI.
        strangers: whether -debugtramp=2 is for calls between what is of no package, too.
        unsure: the type that a call gets which is led to a trampoline because its target has no
            address yet, even in its own package (see RelocKind.shortcut); None: calls keep theirs,
            and reach all of their package.
    """

    limit: int
    size: int
    far: Callable[[int, int, bool], bool]
    near: Callable[[int], bool]
    offset: Callable[[int], int]
    label: Callable[[int], str]
    call: Callable[[int], int]
    write: Callable[[int, bool, bool, bool], Stub]
    sections: bool = False
    calls: frozenset[int] | None = None
    host: frozenset[int] = frozenset()
    strangers: bool = True
    unsure: int | None = None


@attrs.frozen(eq=False, repr=False)
class Setting(Value):
    """The environment variable that chooses among an architecture's variants. Objects say for
    which one they were compiled, and one link takes one kind.

    Attributes:
        variable: its name, "GO" and the architecture's.
        default: its value where it is not set or empty.
        spelled: from a value to what objects say; raises ValueError, in the oracle's words, for
            one that the oracle refuses (internal/buildcfg/cfg.go).
        levels: its values from the processors that can do least to those that can do most; none
            where they are not in such an order.
    """

    variable: str
    default: str
    spelled: Callable[[str], str] = str
    levels: tuple[str, ...] = ()

    def value(self, variables: Mapping[str, str]) -> str:
        """What objects say, for an environment. Raises ValueError for a value that is refused."""
        return self.spelled(variables.get(self.variable) or self.default)


@attrs.frozen(eq=False, repr=False)
class Architecture(Shown):
    """An architecture; every field from ``header_room`` on is a capability with a default.

    Attributes:
        name: as in messages; goarch: as in GOARCH.
        ptrsize: bytes of a pointer. byteorder: "little" or "big".
        func_align, max_align, min_align: alignment of functions, largest and smallest of data.
        pc_quantum: smallest distance between instructions ("MinLC").
        code_pad: bytes that fill the gaps between functions, repeated; at least one.
        text_base: address of the text in a static executable (flag -T).
        round: alignment of segments (flag -R).
        elf_machine, elf_flags: ELF header fields; the class follows from ``ptrsize``.
        dwarf_sp, dwarf_lr: register numbers in debug information.
        regabi: whether functions use the register ABI (else ABIInternal is ABI0).
        has_lr: whether calls leave the return address in a register, not on the stack.
        relocs: relocation type -> kind.
        calls: relocation types that are direct calls.
        addmoduledata: the initialiser that registers a module's data; None where there are no
            plugins (nor shared libraries of Go).
        header_room: bytes kept free before the text for the headers of an executable ("HEADR").
        rela: whether ELF relocations carry their addend ("RELA").
        sums: whether objects have relocations of one place that the host linker has to add up.
        linkage: the tables of a dynamically linked executable; None: linkpipe cannot write one.
        trampolines: what calls need that are too far; None: they all reach.
        deferreturn: added to the address after the call of deferreturn; deferreturn_dynamic: the
            same in shared objects and plugins.
        thunks: names and code of functions laid out before all others in position-independent code.
        table_import: a symbol for the global offset table that position-independent code imports;
            "": none.
        stack_reserved: bytes of the nosplit budget that every frame loses.
        load_align: the largest alignment that a load or store asks for (cmd/internal/sys/arch.go,
            Alignment).
        build_modes: what can be built for it on Linux (internal/platform/supported.go).
        internal_pie: whether a position-independent executable needs no host linker.
        internal_cgo: whether a program with cgo can do without the host linker.
        oldest_ld: the oldest GNU ld that links Go dynamically; older ones make copy relocations all
            the same. None: any.
        needs_gold: whether only gold is known to link Go dynamically.
        off_by_default: experiments that are not on by default here, though they are elsewhere.
        host_flags: what tells a C compiler of several targets that this one is meant.
        setting: the variable that chooses among its variants; None: there is but one.
        runtime_variables: from the setting's value to contents of variables by which the runtime
            learns of it (cmd/link/internal/ld/lib.go, linksetup).
        at_release: release of Go ("1.26"), or the last of its patches ("1.26.2") -> the fields that
            are others in it.
    """

    name: str
    goarch: str
    ptrsize: int
    byteorder: Literal["little", "big"]
    func_align: int
    max_align: int
    min_align: int
    pc_quantum: int
    code_pad: bytes
    text_base: int
    round: int
    elf_machine: int
    elf_flags: int
    dwarf_sp: int
    dwarf_lr: int
    regabi: bool
    has_lr: bool
    relocs: Mapping[int, RelocKind]
    calls: frozenset[int]
    addmoduledata: Stub | None
    header_room: int = 4096
    rela: bool = True
    sums: bool = False
    linkage: Linkage | None = None
    trampolines: Trampolines | None = None
    deferreturn: int = 0
    deferreturn_dynamic: int | None = None
    thunks: tuple[tuple[str, bytes], ...] = ()
    table_import: str = ""
    stack_reserved: int = 0
    load_align: int = 1
    build_modes: frozenset[str] = frozenset(
        {"exe", "pie", "c-archive", "c-shared", "shared", "plugin"}
    )
    internal_pie: bool = True
    internal_cgo: bool = True
    oldest_ld: tuple[int, int] | None = None
    needs_gold: bool = False
    off_by_default: frozenset[str] = frozenset()
    host_flags: tuple[str, ...] = ()
    setting: Setting | None = None
    runtime_variables: Callable[[str], Mapping[str, bytes]] | None = None
    at_release: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict, converter=_by_release)

    def at(self, release: str, patch: int | None = None) -> Architecture:
        """It as it is in a release of Go ("1.27"); in one of its patches, None: the newest."""
        changes = dict(self.at_release.get(release, {}))
        for name, fields in self.at_release.items():
            before, _, last = name.rpartition(".")
            if before == release and patch is not None and patch <= int(last):
                changes.update(fields)
        return attrs.evolve(self, **changes)

    @property
    def elf_class(self) -> int:
        """ELFCLASS32 (1) or ELFCLASS64 (2)."""
        return 2 if self.ptrsize == 8 else 1

    @property
    def endian(self) -> str:
        """The byte order as numpy and struct spell it: "<" or ">"."""
        return "<" if self.byteorder == "little" else ">"

    @property
    def abi_internal(self) -> int:
        """The symbol version of ABIInternal functions."""
        return 1 if self.regabi else 0

    @property
    def tls_offset(self) -> int:
        """From the thread pointer to the runtime's word (cmd/link/internal/ld/sym.go:73)."""
        return -self.ptrsize
