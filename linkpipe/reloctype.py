"""Generic relocation types, by linkpipe's own numbers (cmd/internal/objabi/reloctype.go).

Releases of Go number them anew; objects are translated to these numbers while they are read
(linkpipe.release). Those of one architecture's instructions are defined in its file under
``arches/``.
"""

from __future__ import annotations

R_ADDR = 1
R_ADDROFF = 5
R_SIZE = 6
R_CALL = 7
R_CALLIND = 10
R_CONST = 13
R_PCREL = 14
R_TLS_LE = 15
R_TLS_IE = 16
R_GOTOFF = 17
R_USETYPE = 22
R_USEIFACE = 23
R_USEIFACEMETHOD = 24
R_USENAMEDMETHOD = 25
R_METHODOFF = 26
R_KEEP = 27
R_GOTPCREL = 29
R_DWARFSECREF = 31
R_INITORDER = 102
R_DWTXTADDR_U1 = 103
R_DWTXTADDR_U2 = 104
R_DWTXTADDR_U3 = 105
R_DWTXTADDR_U4 = 106
R_HOST = 256
"""Those of C objects: this plus the number in the psABI. By itself, which is "none" there, it keeps
what is a part of one section of a C object together."""

DWTXTADDR = (R_DWTXTADDR_U1, R_DWTXTADDR_U2, R_DWTXTADDR_U3, R_DWTXTADDR_U4)
"""An index into .debug_addr, as an unsigned LEB128 number of 1, 2, 3 or 4 bytes."""

NUMBERS = {name: number for name, number in vars().copy().items() if name.startswith("R_")}
"""The number of each of them, by its name."""
NAMES = {number: name for name, number in NUMBERS.items()}
"""The name of each, by its number."""
