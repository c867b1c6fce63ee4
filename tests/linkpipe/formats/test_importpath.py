"""Import paths as they stand in symbol names."""

from __future__ import annotations

import pytest

from linkpipe.formats.importpath import path_to_prefix


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("runtime", "runtime"),
        ("golang.org/x/net/http2", "golang.org/x/net/http2"),
        ("example.com/a.b/v2.c", "example.com/a.b/v2%2ec"),
        ("x.y", "x%2ey"),
        ('a b/c"d', "a%20b/c%22d"),
        ("a%b/c", "a%25b/c"),
        ("é/x", "%c3%a9/x"),
        ("a\x7f\x01", "a%7f%01"),
        ("a/b.", "a/b%2e"),
        ("a./b", "a./b"),
        ("", ""),
    ],
)
def test_what_is_escaped(path: str, prefix: str) -> None:
    """By the rule of cmd/internal/objabi/path.go."""
    assert path_to_prefix(path) == prefix
