"""The types of arrays, by what they hold: one name each, used everywhere."""

from __future__ import annotations

from typing import Any

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
