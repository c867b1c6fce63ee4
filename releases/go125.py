"""Go 1.25: another hash, and functions are aligned to the function alignment at least."""

from __future__ import annotations

from types import MappingProxyType

import attrs

from linkpipe.releases import go124
from linkpipe.releases.go125_lists import LISTS

_BEFORE = go124.RELEASE
_DEBUG = _BEFORE.debug_names[False][:-1]

RELEASE = attrs.evolve(
    _BEFORE,
    name="1.25",
    lists=LISTS,
    least_text_align=True,
    abihash_size=32,
    hash_mask=0xFF,
    name_at=0,
    debug_names=MappingProxyType(
        {True: (*_DEBUG, "addr", "rnglists", "loclists"), False: (*_DEBUG, "ranges", "loc")}
    ),
)
