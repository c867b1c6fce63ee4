"""Go's shuffle: the numbers that math/rand gives, which programs rely on."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from linkpipe.layout import gorand
from tests.conformance.toolchain import goroot

# rand.New(rand.NewSource(seed)).Shuffle of 10 numbers, printed by a Go program.
TOLD = {
    1: [1, 7, 4, 0, 9, 2, 3, 5, 8, 6],
    -1: [8, 4, 7, 5, 1, 6, 9, 2, 0, 3],
    0: [3, 7, 4, 6, 1, 8, 0, 5, 2, 9],
    5: [6, 0, 5, 1, 3, 2, 9, 7, 4, 8],
    4611686018427387904: [1, 7, 4, 0, 9, 2, 3, 5, 8, 6],
    -9223372036854775808: [4, 1, 3, 5, 0, 2, 9, 7, 6, 8],
    2147483647: [3, 7, 4, 6, 1, 8, 0, 5, 2, 9],
}


@pytest.mark.parametrize("seed", TOLD)
def test_go_shuffles_so(seed: int) -> None:
    assert gorand.shuffled(10, seed).tolist() == TOLD[seed]


def test_numbers_that_would_be_drawn_more_often_are_drawn_again() -> None:
    """Which 10 numbers never show: a sum over a shuffle of 200,000, printed by a Go program."""
    order = gorand.shuffled(200_000, 7)
    assert int((order * (np.arange(200_000) + 1) % 1_000_003).sum()) == 100_035_667_688


@pytest.mark.parametrize("count", [0, 1])
def test_what_cannot_be_shuffled_stays(count: int) -> None:
    assert gorand.shuffled(count, 3).tolist() == [*range(count)]


@pytest.mark.parametrize("count", [-1, 1 << 31])
def test_counts_that_no_go_program_shuffles_so(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} numbers cannot be shuffled"):
        gorand.shuffled(count, 3)


def test_the_table_is_go_s() -> None:
    text = (goroot() / "src/math/rand/rng.go").read_text()
    table = text.partition("[...]int64{")[2].partition("}")[0]
    ours = np.frombuffer(base64.b85decode(gorand._COOKED), "<i8")
    assert ours.tolist() == [int(number) for number in re.findall(r"-?\d+", table)]
