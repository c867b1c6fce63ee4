"""What kind of link this is: decided once, after every package is known."""

from __future__ import annotations

import attrs

from linkpipe.values import Value


@attrs.frozen(eq=False, repr=False)
class Mode(Value):
    """The link mode and the dynamic-linking decision.

    Attributes:
        external: whether a host linker finishes the job (the output is first a relocatable
            object, ``go.o``).
        iscgo: whether runtime/cgo takes part.
        can_use_plugins: whether ``plugin.Open`` is there to be called: package plugin is loaded,
            cgo is on, and the target supports plugins.
        dynlink: whether other Go modules may be loaded beside this one (plugin, shared,
            -linkshared, or can_use_plugins): symbols stay visible, type names are mangled,
            reflection may find any method.
        dwarf5: whether debug information is of DWARF version 5; else of version 4.
        fieldtrack: whether the compiler has noted where fields are used that have a tag for it.
        reason: why the link is external, in the oracle's words where it has any; empty when
            internal.
        dynamic: whether the executable is written here and loaded by the dynamic linker.
        host_objects: whether objects of a C compiler are linked here.
        imports: whether packages may be in shared libraries of Go, of which no more is known than
            what they define (-linkshared).
        plugins: whether this is a plugin, or a program that may load some: what both were built
            from is compared then.
        pic: whether code must run wherever it is loaded: the output is not bound to an address, or
            Go is linked dynamically.
    """

    external: bool
    iscgo: bool
    can_use_plugins: bool
    dynlink: bool
    dwarf5: bool = True
    fieldtrack: bool = False
    reason: str = ""
    dynamic: bool = False
    host_objects: bool = False
    plugins: bool = False
    imports: bool = False
    pic: bool = attrs.field(default=attrs.Factory(lambda self: self.dynlink, takes_self=True))
