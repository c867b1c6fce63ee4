"""What an architecture provides: constants, a table of relocation kinds, a few writers.

An architecture is one frozen value in one file under ``arches/``, registered as an entry point of
the group ``linkpipe.arches``. Generic code reads its fields and never asks for its name. Its
relocation kinds are those of relockind.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from linkpipe.linkage import Linkage
from linkpipe.relockind import RelocKind
from linkpipe.values import Shown, Value, evolve, record


def _by_release(changes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType({name: MappingProxyType(dict(changes[name])) for name in changes})


@record
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


@record
class Stub(Value):
    """A piece of code that the linker writes.

    Attributes:
        code: the bytes.
        relocs: what is patched in them.
    """

    code: bytes
    relocs: tuple[StubReloc, ...]


@record
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


@record
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
        return evolve(self, **changes)

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
