"""The schema of the symbol table: its columns, and the bits of the flags column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntFlag
from types import MappingProxyType

import numpy as np

from linkpipe.arrays.types import Ints

ABI0, ABI_INTERNAL = 0, 1
STATIC = 10
"""Versions from here on are static: private to one object file (or, below zero, nameless)."""


class Flag(IntFlag):
    """Bits of the ``flags`` column. The low sixteen are the object file's own
    (cmd/internal/goobj/objfile.go, Sym.Flag and Sym.Flag2); the others are the linker's."""

    DUPOK = 1 << 0
    """Several objects may define it; the first one wins."""
    LOCAL = 1 << 1
    """Not seen by other modules."""
    TYPELINK = 1 << 2
    """A type that reflection looks up by its text."""
    LEAF = 1 << 3
    """A function that calls none."""
    NOSPLIT = 1 << 4
    """A function that may not grow the stack."""
    REFLECT_METHOD = 1 << 5
    """A function that may call methods by names made when it runs."""
    GO_TYPE = 1 << 6
    """A type descriptor."""
    USED_IN_IFACE = 1 << 8
    """A type that is converted to an interface: its methods may be called."""
    ITAB = 1 << 9
    """A table of a type's methods for an interface."""
    DICT = 1 << 10
    """A dictionary of an instance of a generic function."""
    PKG_INIT = 1 << 11
    """A package's initialiser."""
    LINKNAME = 1 << 12
    """Defined, or referred to, by go:linkname."""
    LINKNAME_STD = 1 << 13
    """The same, for the standard library alone."""
    ABI_WRAPPER = 1 << 14
    """A function that calls another in the other calling convention."""
    WASM_EXPORT = 1 << 15
    """Exported by go:wasmexport."""
    REACHABLE = 1 << 16
    """Needed by the program, or by what the linker adds."""
    NOT_IN_SYMTAB = 1 << 17
    """Not in the output's symbol table."""
    SPECIAL = 1 << 18
    """Not laid out by its own kind: its bytes are placed by whoever made it."""
    HIDDEN = 1 << 19
    """ELF visibility hidden."""
    CONTENT_HASHED = 1 << 20
    """Deduplicated by content, not by name (names of such symbols may repeat)."""
    SHARED = 1 << 21
    """Compiled with -shared (or -dynlink)."""
    FROM_ASSEMBLY = 1 << 22
    """Of an object that the assembler wrote."""
    CGO_EXPORT_DYNAMIC = 1 << 23
    """Exported by cgo to those who load the output."""
    CGO_EXPORT_STATIC = 1 << 24
    """Exported by cgo to the objects that it is linked with."""
    GENERATED = 1 << 25
    """Its bytes are written late, when addresses are known."""
    REPLACED = 1 << 26
    """A function of an object that the linker changed; it is laid out after its package's own."""
    INTERIOR = 1 << 27
    """A name for a part of its container, a section of a C object, whose bytes it has none of."""
    OF_C = 1 << 28
    """Defined in a C object: a section, a name in one, a variable that is common to several."""


COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "object": np.int32,  # row in Objects of the definition that won; 0: made by the linker
        "local": np.int32,  # index of that definition in its object
        "version": np.int32,  # 0 ABI0 and data, 1 ABIInternal, >= STATIC or < 0 private
        "kind": np.uint8,  # SymKind: text, data, type … (linkpipe.api.SymKind)
        "size": np.int64,  # bytes in the output
        "align": np.int32,  # bytes, 0: not stated
        "flags": np.uint32,  # bits, Flag
        "name_at": np.int64,  # offset in the arena; -1-i: i-th name made by the linker
        "name_size": np.int32,  # bytes
        "data_at": np.int64,  # offset in the arena; -1: none there (zeros, or see `contents`)
        "data_size": np.int64,  # bytes; the rest up to `size` is zero
        "value": np.int64,  # offset in its section, after address assignment its address
        "container": np.int32,  # the carrier symbol that it is laid out in, 0: none
        "section": np.int16,  # row in Sections, -1: none yet
    }
)
DEFAULTS = {"name_at": -1, "data_at": -1, "section": -1}

Ids = Ints | Sequence[int] | int
