"""fipsload: bracket the FIPS 140 module, whose checksum goes into the program.

Code and data of the cryptographic module have kinds of their own, which sort between a start
and an end marker; a program verifies the bytes between them when it starts. The record with
the checksum, ``go:fipsinfo``, lists the markers' addresses. The checksum itself is computed
when everything else is written (`fips`). A plugin has none.

Source: cmd/link/internal/ld/fips140.go:100-205 (fipsSyms, loadfips).
Reads `symbols`, `objects`, `relocs` if it is there; provides `symbols`, `relocs`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.layout.ownvariables import own_variable
from linkpipe.output.fips import MAGIC, SUM_SIZE
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag

_MARKERS = (
    ("go:textfipsstart", SymKind.STEXTFIPSSTART),
    ("go:textfipsend", SymKind.STEXTFIPSEND),
    ("go:rodatafipsstart", SymKind.SRODATAFIPSSTART),
    ("go:rodatafipsend", SymKind.SRODATAFIPSEND),
    ("go:noptrdatafipsstart", SymKind.SNOPTRDATAFIPSSTART),
    ("go:noptrdatafipsend", SymKind.SNOPTRDATAFIPSEND),
    ("go:datafipsstart", SymKind.SDATAFIPSSTART),
    ("go:datafipsend", SymKind.SDATAFIPSEND),
)


@linkpass(requires=("symbols", "objects"), optional=("relocs",), provides=("symbols", "relocs"))
def fipsload(link: Link) -> Link:
    """Create the markers around the FIPS module and the record of its checksum."""
    symbols = link.symbols.edit()
    relocs = (link.relocs if link.has("relocs") else Relocs.empty(len(link.symbols))).edit()
    ptrsize = link.arch.ptrsize
    info = own_variable(symbols, "go:fipsinfo", link.objects.names)
    targets = [info]
    for name, kind in _MARKERS:
        marker = own_variable(symbols, name, link.objects.names)
        symbols.set(marker, kind=kind, size=1)
        symbols.add_flags(marker, Flag.REACHABLE | Flag.LOCAL)
        targets.append(marker)
    head = len(MAGIC) + SUM_SIZE
    symbols.set_content(info, MAGIC + bytes(SUM_SIZE + ptrsize * len(targets)))
    symbols.set(info, kind=SymKind.SFIPSINFO)
    symbols.add_flags(info, Flag.REACHABLE)
    for i, target in enumerate(targets):
        relocs.add(info, offset=head + i * ptrsize, size=ptrsize, type=R_ADDR, target=target)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())
