"""The finished file, whoever has finished it, for passes behind the barrier ``output-final``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import U8
from linkpipe.errors import UserError, os_error
from linkpipe.output.outfile import is_special

if TYPE_CHECKING:
    from linkpipe.engine.context import Link


def finished(link: Link) -> U8:
    """The bytes of the finished file: uint8[size]. A pass that asks requires `image` and `mode`,
    has `output` as optional (which pass sets it `mode` decides), and stands behind
    ``output-final``.

    What linkpipe writes itself takes its place when the whole link has ended well, so these are not
    read from there; what a host linker or an archiver has made stands there already.

    Raises MissingFact where nobody has finished it yet, UserError where a host linker writes to
    what is no file (/dev/stdout), or has left none (-extldflags=-###).
    """
    output = link.output
    if not link.mode.external:
        return link.image
    if is_special(output):
        raise UserError(
            f"{output} is no file, so what the host linker makes cannot be looked at",
            remedy="name a file with -o",
        )
    try:
        return frozen(np.fromfile(output, np.uint8))
    except OSError as e:
        raise UserError(
            os_error(e), remedy="link with flags by which the host linker makes that file"
        ) from e
