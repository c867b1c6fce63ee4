"""What relocation types do: a `RelocKind` for each.

A relocation kind is described for *many places at once*: its kernel gets arrays and returns an
array, so a link applies some dozens of groups instead of a million relocations. The generic kinds
(`GENERIC`, from cmd/link/internal/ld/data.go, relocsym) hold on every architecture; an
architecture says what they become in an ELF object and adds those of its own instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType

import attrs
import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.values import Shown, Value, evolve, record


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


@record
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


@record
class Index(Value):
    """The kernel of kinds with the target's index; applied as Sum is."""

    def __call__(self, p: Places) -> I64:
        """The indices of the targets, -1: none."""
        return p.index


@record
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


@record
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
        kinds[number] = evolve(kinds[number], elf=rule)
    return MappingProxyType(kinds)
