"""What an architecture says of dynamic linking: how code reaches what shared libraries define.

A function of a shared library is called by way of an entry of the procedure linkage table (.plt),
which jumps to the address in a slot of .got.plt; at first that leads on to the dynamic linker,
which looks the function up. An address that code asks for stands in a slot of the global offset
table (.got). Data may hold one itself, which the dynamic linker writes there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import attrs

from linkpipe.values import Shown, Value, record

if TYPE_CHECKING:
    from linkpipe.arch import Stub


@record
class Reach(Value):
    """How a relocation gets at a symbol of a shared library.

    Attributes:
        by: the table with an entry for the symbol, which the relocation refers to from then on;
            "place": the dynamic linker writes to the relocation's place.
        add: ``add(given, at)``: the addend, from the one that it had and the entry's offset in the
            table; None: their sum.
        type: the relocation's type from then on, None: the same.
        whole: whether it has to refer to the symbol's start.
    """

    by: Literal[".plt", ".got", "place"]
    add: Callable[[int, int], int] | None = None
    type: int | None = None
    whole: bool = False

    def addend(self, given: int, at: int) -> int:
        """The addend from then on."""
        return given + at if self.add is None else self.add(given, at)


@record
class Rewrite(Value):
    """An instruction of a C compiler that loads an address from a slot of the global offset table,
    and what it becomes where linkpipe knows the address.

    Attributes:
        back: how many bytes before the field the two differ.
        before, after: bytes from there on, of equal length.
        type, add: of the relocation from then on, as in HostReloc.
    """

    back: int
    before: bytes
    after: bytes
    type: int
    add: int = 0


@record
class HostReloc(Value):
    """How a relocation of a C compiler's object is carried out here.

    Attributes:
        name: as in the psABI.
        width: bytes of its field.
        type: the relocation type of Go's that it becomes; None: it is read, and an error where it
            is needed, which ``undefined`` says if it is not ""; R_HOST: it is read and changes
            nothing.
        add: added to the addend.
        imported: how it reaches what a shared library defines; None: it cannot.
        slot: whether it asks for a slot of the global offset table, also for what is defined here,
            unless one of ``rewrites`` applies; ``imported`` says how. Where it is not set, and
            ``imported`` asks for one, that is an error.
        table: whether it refers to the global offset table itself, whatever its symbol.
        half: "high": it is the upper half of an address; "low": the lower half of the one whose
            upper half is at the place that its symbol names, and which says what the address is.
        rewrites: see Rewrite.
        undefined: what is said where nobody defines what it refers to, "{}" for its name; "": it
            is an error later.
    """

    name: str
    width: int
    type: int | None
    add: int = 0
    imported: Reach | None = None
    slot: bool = False
    table: bool = False
    half: Literal["", "high", "low"] = ""
    rewrites: tuple[Rewrite, ...] = ()
    undefined: str = ""

    @property
    def call(self) -> bool:
        """Whether it is for calls: what shared libraries define is called by way of .plt."""
        return self.imported is not None and self.imported.by == ".plt"


@record
class HeaderFlags(Value):
    """What C objects say of the ELF header of the executable.

    Attributes:
        section, type: name and type of the section that does.
        read: ``read(flags, content)``: the flags of the header from then on, from those before
            and the section's bytes. Raises ValueError for what cannot be read.
    """

    section: bytes
    type: int
    read: Callable[[int, bytes], int]


def _host(by_type: Mapping[int, HostReloc]) -> Mapping[int, HostReloc]:
    return MappingProxyType(dict(by_type))


def _reaches(by_type: Mapping[int, Reach]) -> Mapping[int, Reach]:
    return MappingProxyType(dict(by_type))


@attrs.frozen(eq=False, repr=False)
class Linkage(Shown):
    """The tables of a dynamically linked executable, and what is written in them.

    Relocations of stubs refer to ".got.plt" and ".plt" by name.

    Attributes:
        interpreters: the dynamic linkers of GNU's C library and of musl; the second is named where
            there is only that.
        jump_slot, glob_dat: dynamic relocations (psABI) that put a symbol's address in a slot of
            .got.plt and of .got.
        absolute: the one that puts it in data, added to what stands there unless the dynamic
            linker puts it in place of that, as it does in slots; None: there cannot be any.
        relative: the one that puts the address of something of the file itself in data; None: the
            architecture has no executable that needs it.
        first: what .plt starts with.
        slots: the table that the slots of entries of .plt are in. In ".got" they lie between those
            of addresses, in the order in which they are asked for, and .got.plt is empty.
        reserved: the words that it starts with; ".dynamic" is the address of that table.
        entry: ``entry(at, slot, record)``: an entry of .plt at that offset, for the slot of
            .got.plt at the offset ``slot`` and its relocation at ``record`` in .rel(a).plt; all are
            of one length.
        lazy: where in .plt the slot of the entry at an offset leads at first.
        entsize: sh_entsize and alignment of .plt, bytes.
        in_text, in_data: relocation type -> how it reaches what a shared library defines, in
            functions and in data with pointers.
        hash_word: bytes of a number in .hash.
        host: the relocations of C compilers that are carried out here, by number in the psABI;
            none: C objects are left to a host linker.
        marks: what the names of local symbols of C objects begin with that are none, but marks of
            the assembler's.
        labels: what the names of symbols in code of C objects begin with that are no functions for
            the runtime; where there are such, symbols without a name are none either.
        fills_slots: whether the slot of what is defined here holds its address when the program is
            loaded, and the dynamic linker is not asked.
        header_flags: see HeaderFlags; None: C objects do not change them.
        ignores_d: whether the flag -d changes nothing, as the oracle has it.
    """

    interpreters: tuple[str, str]
    jump_slot: int
    glob_dat: int
    first: Stub
    reserved: tuple[int | str, ...]
    entry: Callable[[int, int, int], Stub]
    lazy: Callable[[int], int]
    entsize: int
    in_text: Mapping[int, Reach] = attrs.field(converter=_reaches)
    in_data: Mapping[int, Reach] = attrs.field(converter=_reaches)
    slots: Literal[".got", ".got.plt"] = ".got.plt"
    absolute: int | None = None
    relative: int | None = None
    hash_word: int = 4
    host: Mapping[int, HostReloc] = attrs.field(factory=dict, converter=_host)
    marks: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()
    fills_slots: bool = False
    header_flags: HeaderFlags | None = None
    ignores_d: bool = False

    def interpreter(self) -> str:
        """The dynamic linker that a program names when nobody says which: that of GNU's C library,
        or musl's where this machine has that one alone."""
        usual, musl = self.interpreters
        return musl if os.path.exists(musl) and not os.path.exists(usual) else usual

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for a table that cannot be carried out."""
        for number, reach in (*self.in_text.items(), *self.in_data.items()):
            if reach.by == "place" and (self.absolute is None or reach.type is None):
                raise ValueError(
                    f"relocation type {number} leaves its place to the dynamic linker: that takes "
                    "`absolute`, and a type that it has from then on"
                )
