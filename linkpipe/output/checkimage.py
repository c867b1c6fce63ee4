"""Whether an image is what the layout says, before it is built upon or written.

What passes leave there is what the user gets. A pass of a third party may have left anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from linkpipe.arrays.types import U8
from linkpipe.errors import InputError, PassError
from linkpipe.formats import elfread

if TYPE_CHECKING:
    from linkpipe.engine.context import Link


def check_segments(link: Link) -> Sequence[tuple[int, bytes]]:
    """Check that the image of a link ends where the last of the segments does that lie in it: those
    that one of its overlays begins, behind its end, do not. Returns the overlays.

    Raises PassError for the pass that has set what is wrong.
    """
    image, overlays = link.image, link.overlays if link.has("overlays") else ()
    behind = {at for at, _ in overlays if at >= len(image)}
    ends = [(s.fileoff, s.fileoff + s.filesize) for s in link.sections.segments]
    end = max((end for start, end in ends if start not in behind), default=0)
    if len(image) != end:
        what = f"has {len(image)} bytes, and the segments end at {end}"
        raise _broken(what, link.set_by.get("image", ""))
    end = max((end for _, end in ends), default=0)
    for at, content in overlays:
        if not 0 <= at <= end - len(content):
            what = f"have {len(content)} bytes at {at}, and the segments end at {end}"
            raise _broken(what, link.set_by.get("overlays", ""), "overlays")
    return overlays


def check_file(image: U8, maker: str) -> None:
    """Check that an image is an ELF file that ends where its headers say.

    Raises PassError for ``maker``, the pass that has set it.
    """
    try:
        end = elfread.parse("", image).end
    except InputError as e:
        raise _broken(f"is no ELF file: {e.message}", maker) from e
    if len(image) != end:
        raise _broken(f"has {len(image)} bytes, and its ELF headers say {end}", maker)


def _broken(what: str, maker: str, fact: str = "image") -> PassError:
    return PassError(
        f"left {'an ' * (fact == 'image')}`{fact}` that {what}",
        name=maker,
        fact=fact,
        label="linkpipe",
        remedy="the pass is wrong, or runs where it does not belong; -check and -dump show what it "
        "was given",
    )
