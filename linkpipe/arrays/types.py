"""The types of arrays, by what they hold: one name each, used everywhere."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

Ints = npt.NDArray[np.integer[Any]]
"""Whole numbers of any width."""

Structs = npt.NDArray[np.void]
"""Elements with named fields, as they stand in a file."""


def element_of(declared: Any) -> Any:
    """The element of a declared type of arrays, such as np.int32 of ``npt.NDArray[np.int32]``; None
    for any other type. From Python 3.12 on numpy's NDArray is an alias that is kept as such."""
    origin, args = get_origin(declared), get_args(declared)
    if origin is np.ndarray:
        return get_args(args[1])[0]
    return args[0] if origin is get_origin(Bool) else None
