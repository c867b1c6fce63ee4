"""output: write the finished file.

The image holds every byte already. It goes into a temporary file beside the output, which
takes the output's place when it is whole: a link that fails leaves what was there before.

Links that a host linker finishes write their object in `hostlink` instead.
Source: cmd/link/internal/ld/outbuf.go, lib.go:381 (libinit).
Reads `image`; provides `output`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.output.outfile import write_output


@linkpass(requires=("image",), provides=("output",))
def output(link: Link) -> Link:
    """Write the finished file."""
    write_output(link.options.o, link.image)
    return link.evolve(output=link.options.o)
