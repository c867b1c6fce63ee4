"""What an architecture is in a release of Go."""

from __future__ import annotations

import attrs
import pytest

from linkpipe.arches.amd64 import ARCH

CHANGING = attrs.evolve(
    ARCH,
    regabi=True,
    at_release={"1.8": {"regabi": False}, "1.9": {"func_align": 8}, "1.9.2": {"needs_gold": True}},
)


@pytest.mark.parametrize(
    ("release", "patch", "changed"),
    [
        ("1.8", 3, {"regabi": False}),
        ("1.9", 1, {"func_align": 8, "needs_gold": True}),
        ("1.9", 2, {"func_align": 8, "needs_gold": True}),
        ("1.9", 3, {"func_align": 8}),
        ("1.9", None, {"func_align": 8}),
        ("1.10", None, {}),
    ],
)
def test_fields_that_a_release_or_its_first_patches_change(
    release: str, patch: int | None, changed: dict[str, object]
) -> None:
    found = CHANGING.at(release, patch)
    for field in ("regabi", "func_align", "needs_gold"):
        assert getattr(found, field) == changed.get(field, getattr(CHANGING, field))
