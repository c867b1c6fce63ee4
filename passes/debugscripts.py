"""debugscripts: tell gdb which script knows Go's types, .debug_gdb_scripts.

The script lies beside the runtime's sources; where these are says the name of a file that every
program has, runtime/proc.go.

Source: cmd/link/internal/ld/dwarf.go (writegdbscript); gdb's manual, "The .debug_gdb_scripts
section".
Reads `dwarf`, `objects`, `packages`, `symbols`, `debug_sections`; provides `symbols`,
`debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.functab.sourcefiles import expand_file, file_counts, file_names
from linkpipe.symkind import SymKind
from linkpipe.tables.dwarf import DebugSection
from linkpipe.tables.symbols import Flag

_PYTHON_FILE = 1
_KNOWN, _SCRIPT = b"runtime/proc.go", b"runtime/runtime-gdb.py"


@linkpass(
    requires=("dwarf", "objects", "packages", "symbols", "debug_sections"),
    provides=("symbols", "debug_sections"),
)
def debugscripts(link: Link) -> Link:
    """Name the script by which gdb understands Go's types."""
    script = _script(link)
    if not script:
        return link
    edit = link.symbols.edit()
    sym = edit.own(".debug_gdb_scripts")
    edit.set_content(sym, bytes((_PYTHON_FILE,)) + script + b"\0")
    edit.set(sym, kind=SymKind.SDWARFSECT)
    edit.add_flags(sym, Flag.REACHABLE)
    section = DebugSection(".debug_gdb_scripts", np.array([sym]))
    return link.evolve(symbols=edit.freeze(), debug_sections=(*link.debug_sections, section))


def _script(link: Link) -> bytes:
    """Where the script is, empty when that cannot be told."""
    for unit in np.flatnonzero(link.dwarf.line_table).tolist():
        if link.packages.items[int(link.dwarf.packages[unit])].path != "runtime":
            continue
        home = link.dwarf.objects[[unit]]
        for name in file_names(link.objects, home, file_counts(link.objects, home))[1]:
            before, found, _ = expand_file(name, link.options.environment.goroot).partition(_KNOWN)
            if found:
                return before + _SCRIPT
    return b""
