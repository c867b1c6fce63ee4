"""forcecgo: add runtime/cgo to a link that has none but is finished by a host linker.

The C start-up code of such a program sets up the thread-local storage, and the runtime asks
whether runtime/cgo is there to know it. Rare: somebody passed -linkmode=external for a program
without cgo. The packages are loaded once more with runtime/cgo at the end of the list; what was
mapped before is mapped again at no cost worth avoiding.

Source: cmd/link/internal/ld/lib.go:587-602.
Reads `packages`; provides `packages`, `objects`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import UserError
from linkpipe.packages.loading import load_packages


@linkpass(requires=("packages",), provides=("packages", "objects"))
def forcecgo(link: Link) -> Link:
    """Load runtime/cgo too when an external link has no cgo."""
    options = link.options
    packages, objects = load_packages(options, link.arch, link.release, cgo=True)
    row = packages.by_path.get("runtime/cgo")
    lacking = row is not None and not packages.items[row].shlib
    if lacking and (options.buildmode == "shared" or options.linkshared):
        raise UserError(
            "cannot implicitly include runtime/cgo in a shared library",
            status=2,
            remedy="name runtime/cgo among the packages of the library",
        )
    return link.evolve(packages=packages, objects=objects)
