"""obfuscate.modules: no word of modules, their versions, flags and commits.

The go command gives the linker a text about the build, which is then in runtime.modinfo and in the
record that `go version -m` reads. What is not there is in neither. The version of Go stays.

It stands behind load, which reads that text; what tells modules apart has to stand before it.
Reads and provides `packages`.
"""

from __future__ import annotations

import attrs

from linkpipe.api import Link, linkpass


@linkpass(name="obfuscate.modules", requires=("packages",), provides=("packages",))
def modules(link: Link) -> Link:
    """Forget what the go command told of modules."""
    return link.evolve(packages=attrs.evolve(link.packages, modinfo=None))
