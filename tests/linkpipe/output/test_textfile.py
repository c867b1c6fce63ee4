"""A text beside the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import UserError
from linkpipe.output.textfile import write_text


def test_a_text_replaces_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "found.txt"
    write_text(str(file), "one\n")
    write_text(file, "two \udcff\n")
    assert file.read_bytes() == b"two \xff\n"
    assert [each.name for each in file.parent.iterdir()] == ["found.txt"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*/file/below"):
        write_text(tmp_path / "file" / "below", "text")
