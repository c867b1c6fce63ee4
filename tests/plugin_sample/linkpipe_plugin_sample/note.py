"""sample.note: a note section with a text of your choice.

A pass that changes the output. `note_section` makes a symbol that gets a section of its own, in an
executable and in an object for the host linker alike; `readelf -n` shows it. So the pass has to
stand between `elfprep` and `datalayout`.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from linkpipe.api import Link, UserError, linkpass, note_section

OWNER = b"linkpipe-sample\0"
TYPE = 1


@attrs.frozen
class NoteOptions:
    """Attributes:
    text: what the note says.
    file: a file with the text instead.
    section: the section's name.
    """

    text: str = "linked by linkpipe"
    file: Path | None = None
    section: str = ".note.linkpipe.sample"


@linkpass(
    name="sample.note",
    requires=("symbols",),
    provides=("symbols",),
    options=NoteOptions,
    inputs=("file",),
)
def note(link: Link, options: NoteOptions) -> Link:
    """Add a note to the output."""
    if not options.section.startswith(".note"):
        raise UserError(
            f'sample.note: "{options.section}" is no name of a note section',
            remedy='let the option `section` start with ".note"',
        )
    text = options.text if options.file is None else read(options.file)
    edit = link.symbols.edit()
    note_section(edit, options.section, OWNER, TYPE, text.encode(), link.arch.endian)
    return link.evolve(symbols=edit.freeze())


def read(file: Path) -> str:
    """The text in a file."""
    try:
        return file.read_text()
    except OSError as e:
        raise UserError(
            f"sample.note: cannot read {file}: {e.strerror}", remedy="correct the option `file`"
        ) from e
