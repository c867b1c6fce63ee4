from __future__ import annotations

import pytest

from linkpipe.engine.lines import line_of

TEXT = '''\
# a comment = 1, [[b]]
top = 1   # [x]

[[b]]
"na.me" = """
[[b]]
name = "inside of a string" """
words = [
  "one",  # ]
  [
    "two",
  ],

  "three",
]

[[ b ]]
opts.deep = { x = 1, y = [
  2,
] }

[b.more]
z = \'\'\'[b.more]\'\'\'
inline = [
  { p = 1 },
  { p = """
""", q = 2 },
]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("b",), 4),
        (("b", 0), 4),
        (("b", 0, "na.me"), 5),
        (("b", 0, "words"), 8),
        (("b", 0, "words", 0), 9),
        (("b", 0, "words", 1), 10),
        (("b", 0, "words", 1, 0), 11),
        (("b", 0, "words", 2), 14),
        (("b", 1), 17),
        (("b", 1, "opts", "deep", "x"), 18),
        (("b", 1, "more"), 22),
        (("b", 1, "more", "z"), 23),
        (("b", 1, "more", "inline", 0, "p"), 25),
        (("b", 1, "more", "inline", 1, "q"), 26),
        (("b", 1, "more", "none"), 22),
        (("none",), 0),
        ((), 0),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_where_a_value_stands(path: tuple[str | int, ...], line: int, end: str) -> None:
    assert line_of(TEXT.replace("\n", end), path) == line


def test_a_file_of_one_line() -> None:
    assert line_of("a = 1", ("a",)) == 1
