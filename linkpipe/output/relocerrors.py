"""Errors about single relocations, in the oracle's words, collected over a whole link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from linkpipe.errors import InputError
from linkpipe.relockind import Range, RelocKind
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind, is_dwarf
from linkpipe.tables.symbols import ABI0, ABI_INTERNAL
from linkpipe.values import evolve

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.tables.symbols import Symbols

_ABIS = {ABI0: "ABI0", ABI_INTERNAL: "ABIInternal"}
_REBUILD = "rebuild the package; its object file is damaged or of another Go version"


class Where(NamedTuple):
    """The row of a relocation, the symbol that it is in, its target and its offset there."""

    row: int
    symbol: int
    target: int
    offset: int


class RelocErrors:
    """Errors found so far; ``sorted`` gives them in file order. ``files`` are the names of the
    objects that symbols come from, ``hosts`` those of C objects by symbol; ``static`` says that the
    program may load no shared library, ``lacking`` what became of the C compiler's own."""

    def __init__(
        self,
        symbols: Symbols,
        files: Sequence[str],
        arch: Architecture,
        hosts: Mapping[int, str] = MappingProxyType({}),
        *,
        static: bool = False,
        lacking: str = "",
    ) -> None:
        self._static, self._lacking = static, lacking
        self._symbols, self._files, self._arch, self._hosts = symbols, files, arch, hosts
        self._found: list[tuple[Where, InputError]] = []
        self._unresolved: set[tuple[int, int]] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self, locate: Callable[[list[tuple[int, int]]], list[str]]) -> list[InputError]:
        """The errors, ordered by the place of the relocation; the oracle ends at the first of
        status 1. ``locate`` says where in the source a place (symbol, offset) comes from, or "":
        then the offset has to do."""
        found = sorted(self._found, key=lambda found: found[0].row)
        try:
            lines = locate([(where.symbol, where.offset) for where, _ in found])
        except InputError:  # damaged tables are not what is to be told here
            lines = [""] * len(found)
        return [
            evolve(error, source=line, offset=None if line else error.offset)
            for (_, error), line in zip(found, lines, strict=True)
        ]

    def _add(
        self,
        where: Where,
        message: str,
        remedy: str = _REBUILD,
        *,
        found: str = "",
        fatal: bool = False,
    ) -> None:
        error = InputError(
            message,
            symbol="" if fatal else self._symbol(where),
            file=self._hosts.get(where.symbol)
            or self._files[int(self._symbols.object[where.symbol])],
            offset=where.offset,
            found=found,
            remedy=remedy,
            status=1 if fatal else 2,
        )
        self._found.append((where, error))

    def _symbol(self, where: Where) -> str:
        return self._symbols.name(where.symbol) or f"sym {where.symbol}"

    def _target(self, where: Where) -> str:
        return self._symbols.name(where.target) if where.target else ""

    def _name(self, number: int) -> str:
        kind = self._arch.relocs.get(number)
        return kind.name if kind else f"R_{number}"

    def outside(self, where: Where, width: int, size: int) -> None:
        """The place is not inside of its symbol."""
        self._add(
            where,
            f"invalid relocation {self._target(where)}: {where.offset}+{width} not in [0,{size})",
        )

    def undefined(self, where: Where) -> None:
        """Nobody defines the target. Said once for each pair of symbols."""
        key = (where.symbol, where.target)
        if key in self._unresolved:
            return
        self._unresolved.add(key)
        symbols, name = self._symbols, self._target(where)
        wanted = int(symbols.version[where.target])
        have = ""
        for version, abi in _ABIS.items():
            other = symbols.lookup(name.encode("utf-8", "surrogateescape"), version)
            if other and symbols.kind[other] not in (SymKind.Sxxx, SymKind.SXREF):
                have = abi
        if name == "main.main":
            message = "function main is undeclared in the main package"
            remedy = "declare `func main()`"
        elif have and wanted in _ABIS:
            message = (
                f"relocation target {name} not defined for {_ABIS[wanted]} "
                f"(but is defined for {have})"
            )
            remedy = "assembly and Go must agree on the ABI; see go.dev/s/assembler"
        else:
            message = f"relocation target {name} not defined"
            remedy = "link the package that defines it, or remove what refers to it"
        lacking = self._lacking if where.symbol in self._hosts else ""
        self._add(where, message, remedy, found=lacking)

    def unhandled(self, where: Where, number: int) -> None:
        """The target's kind and the relocation's type do not go together."""
        # The oracle has its release's number of the kind there, too.
        kind = SymKind(int(self._symbols.kind[where.target]))
        self._add(
            where,
            f"unhandled relocation for {self._target(where)} "
            f"(type {kind.name} rtype {number} ({self._name(number)}))",
            "link externally (-linkmode=external)",
        )

    def unreachable(self, where: Where) -> None:
        """The target was not kept."""
        message = f"unreachable sym in relocation: {self._target(where)}"
        debug = is_dwarf(self._symbols.kind[[where.symbol]]).any()
        self._add(
            where, message, found="debug information of what the program needs" if debug else ""
        )

    def unknown(self, where: Where, number: int) -> None:
        """The architecture has no such relocation; or it is one of a C object, which are made
        Go's where a program loads shared libraries, and forgotten by the oracle elsewhere."""
        linkage = self._arch.linkage
        host = linkage.host.get(number - R_HOST) if linkage is not None else None
        if where.symbol in self._hosts and host is not None:
            self._add(
                where,
                f"{host.name} relocation of a C object to {self._target(where)}, in a program that "
                "loads no shared library",
                "drop -d"
                if self._static
                else 'import "C" somewhere, so that it loads the C library, or link with '
                "-ldflags=-linkmode=external",
            )
            return
        self._add(where, f"unknown reloc to {self._target(where)}: {number} ({self._name(number)})")

    def bad_size(self, where: Where, width: int) -> None:
        """No field has that width."""
        self._add(where, f"bad reloc size {width:#x} for {self._target(where)}")

    def bound(self, where: Where, kind: RelocKind) -> None:
        """The kind is for position-independent executables, and this one is bound to an address."""
        self._add(
            where,
            f"cannot handle {kind.name} (sym {self._symbol(where)}) when linking internally",
            "link with -buildmode=pie, or compile without -shared",
            fatal=True,
        )

    def odd_instruction(self, where: Where, kind: RelocKind, around: bytes) -> None:
        """The value cannot be put into the instruction around the place. ``around`` is what stands
        there, up to the field's end; where the symbol has less than the kind looks at there is no
        instruction."""
        if len(around) <= kind.around[0]:
            message = f"{kind.name} relocation is not in an instruction (sym {self._symbol(where)})"
        else:
            before, field = around[: kind.around[0]], around[kind.around[0] :]
            message = kind.refusal.format(before, int.from_bytes(field, self._arch.byteorder))
        # The oracle goes on where a value is wrong, not where an instruction is.
        self._add(
            where,
            message,
            "rebuild the package, or link with -linkmode=external",
            fatal=kind.around != (0, 0),
        )

    def unaligned(self, where: Where, unit: int, address: int) -> None:
        """The value is no multiple of what the field counts in."""
        self._add(where, f"{self._target(where)}+{address} is not {unit}-byte aligned")

    def unsupported(self, where: Where, number: int, width: int) -> None:
        """ELF has no relocation for it."""
        self._add(
            where,
            f"unsupported obj reloc {number} ({self._name(number)})/{width} "
            f"to {self._target(where)}",
        )

    def no_label(self, where: Where) -> None:
        """A part of the relocation has to name its place, and there is no symbol in code."""
        self._add(where, f"failed to find text symbol for HI20 relocation at {where.offset}")

    def no_trampoline(self, where: Where, count: int) -> None:
        """The target is not a jump to somewhere else."""
        self._add(where, f"trampoline {self._target(where)} has {count} relocations")

    def no_jump(self, where: Where) -> None:
        """The target does not lead anywhere."""
        self._add(where, f"trampoline {self._target(where)} called with non-jump relocation")

    def no_section(self, where: Where) -> None:
        """The value counts from the target's section, but it has none."""
        name, kind = self._target(where), int(self._symbols.kind[where.target])
        if kind == SymKind.SDYNIMPORT:
            message = f"cannot target DYNIMPORT sym in section-relative reloc: {name}"
        elif kind == SymKind.SUNDEFEXT:
            message = f"undefined symbol in relocation: {name}"
        else:
            message = f"missing section for relocation target {name}"
        self._add(where, message)

    def too_far(self, where: Where, kind: RelocKind, distance: int) -> None:
        """The target is out of the reach of the instruction."""
        if kind.reaches is not None:
            self._add(
                where,
                f"relocation does not fit in 32-bits: {distance}",
                found=f"{kind.name}, an offset from the thread pointer",
            )
            return
        what = "call" if kind.name.startswith("R_CALL") else "address"
        self._add(
            where,
            f"program too large, {what} relocation distance = {distance}",
            "the program is too large for this code model",
        )

    def no_index(self, where: Where) -> None:
        """The target has no index in its unit's table of addresses, or one that is too large."""
        self._add(where, f"missing .debug_addr index relocation target {self._target(where)}")

    def too_big(self, where: Where, kind: RelocKind, width: int, value: int, address: int) -> None:
        """The value does not fit its field."""
        unsigned = f"{value % (1 << 64):#x}"
        name = self._target(where)
        remedy = "the program is too large for this code model"
        if kind.range is Range.ADDRESS and width == 4 and value & 0x80000000:
            message = (
                f"non-pc-relative relocation address for {name} is too big: "
                f"{unsigned} ({address:#x} + {value - address:#x})"
            )
        elif kind.range is Range.SIGNED:
            message = (
                f"pc-relative relocation {kind.name} address for {name} is too big: {value:#x}"
            )
        else:
            message = (
                f"non-pc-relative relocation {kind.name} address for {name} is too big: {unsigned}"
            )
        self._add(where, message, remedy)
