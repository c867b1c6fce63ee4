"""The file's bytes before its pieces are put there."""

from __future__ import annotations

import numpy as np
import pytest

from linkpipe.output import elfframe


@pytest.mark.parametrize("count", ["1", "3"])
def test_an_image_is_extended_by_zeros(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever thread copies what."""
    monkeypatch.setattr(elfframe, "_STEP", 4)
    monkeypatch.setenv("LINKPIPE_THREADS", count)
    for length in range(12):
        image = np.arange(1, length + 1).astype(np.uint8)
        for size in range(length, 15):
            made = elfframe.extended(image, size)
            assert made.tobytes() == image.tobytes().ljust(size, b"\0")
