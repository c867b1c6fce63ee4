"""output: write the finished file.

The image holds every byte already, if it is large in the memory of a file that has no name yet
(linkpipe/arrays/filememory.py). A temporary file beside the output, that one or a copy, takes the
output's place when the link has ended well: a link that fails, be it because of a later pass or of
an observer, leaves what was there before.

Links that a host linker finishes write their object in `hostlink` instead.
Source: cmd/link/internal/ld/outbuf.go, lib.go:381 (libinit).
Reads `image`; provides `output`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.output.checkimage import check_file
from linkpipe.output.outfile import new_output


@linkpass(requires=("image",), provides=("output",))
def output(link: Link) -> Link:
    """Write the finished file."""
    check_file(link.image, link.set_by.get("image", ""))
    with link.until_end() as end:
        end.enter_context(new_output(link.options.o, link.image))
        return link.evolve(output=link.options.o)
