"""hostprobe: start asking the C compiler what it can do.

The answers decide the arguments of the host link, which is the last step; an answer takes as
long as several passes together. So questions that the cache cannot answer are asked now, on
the other processor, and `hostlink` picks the answers up.

Source: cmd/link/internal/ld/lib.go, linkerFlagSupported.
Reads `cgo`, `mode`; provides `compiler_flags`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.hostlinker.hosttools import prober_for, questions


@linkpass(requires=("cgo", "mode"), provides=("compiler_flags",))
def hostprobe(link: Link) -> Link:
    """Ask the C compiler which flags it takes, in the background."""
    prober = prober_for(link.options, link.arch, link.release, link.cgo.ldflags)
    prober.start(questions(link.options, dynlink=link.mode.dynlink))
    return link.evolve(compiler_flags=link.start(prober))
