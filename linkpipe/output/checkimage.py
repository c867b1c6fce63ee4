"""Whether an image is what the layout says, before it is built upon or written.

What passes leave there is what the user gets. A pass of a third party may have left anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from linkpipe.arrays.types import U8
from linkpipe.errors import InputError, PassError
from linkpipe.formats import elfread
from linkpipe.tables.sections import Segment


def check_segments(image: U8, segments: Iterable[Segment], maker: str) -> None:
    """Check that an image ends where the last of the segments does that lie in it.

    Raises PassError for ``maker``, the pass that has set it.
    """
    end = max((segment.fileoff + segment.filesize for segment in segments), default=0)
    if len(image) != end:
        raise _broken(f"has {len(image)} bytes, and the segments end at {end}", maker)


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


def _broken(what: str, maker: str) -> PassError:
    return PassError(
        f"left an `image` that {what}",
        name=maker,
        fact="image",
        label="linkpipe",
        remedy="the pass is wrong, or runs where it does not belong; -check and -dump show what it "
        "was given",
    )
