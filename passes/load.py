"""load: map the archives of the link and read what their objects say of themselves.

The importcfg says where packages lie; the main package's archive is given on the command
line. Objects name what they import, so loading is a work list that grows: the main
package first, then imports in the order in which objects name them, then the packages that
every link needs. Only headers are read here; symbols are the business of `resolve`.

The work itself is in linkpipe/packages/loading.py, which `forcecgo` uses too.
Reads nothing; provides `packages`, `objects`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.packages.loading import load_packages


@linkpass(provides=("packages", "objects"))
def load(link: Link) -> Link:
    """Map archives and read object headers, from the main package along its imports."""
    packages, objects = load_packages(link.options, link.arch, link.release)
    return link.evolve(packages=packages, objects=objects)
