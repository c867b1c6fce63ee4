"""Encoding of debugging information entries, all of one shape at a time.

Entries are columns: one row for each, in the order of the output; a row of code 0 is the zero
that ends a list of children. An attribute's values are one column, too. What an entry of some
code consists of says the table of abbreviations, so this encodes whatever that table can say.

References become relocations. Source: cmd/internal/dwarf/dwarf.go (putattr).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.types import I32, I64, U8, U16, Ints
from linkpipe.formats.dwarf import Abbrev, At, Form
from linkpipe.formats.leb128 import put_leb, uleb_sizes
from linkpipe.kernels.spans import copy_spans
from linkpipe.reloctype import R_ADDR, R_ADDROFF, R_DWARFSECREF


class Text(NamedTuple):
    """Strings: ``size`` bytes each at ``at`` of ``source``; where ``at`` is negative, at
    ``-1 - at`` of ``made``."""

    source: U8
    at: I64
    size: I64
    made: U8


class Encoded(NamedTuple):
    """Bytes of entries, and what refers to symbols in them.

    ``content`` uint8[…]; ``starts`` int64[n + 1], where each entry begins, and the end; for each
    reference, ascending: ``place`` int64, ``size`` uint8, ``type`` uint16, ``target`` int32.
    """

    content: U8
    starts: I64
    place: I64
    size: U8
    type: U16
    target: I32


Columns = Mapping[At, I64 | Text]
"""The values of each attribute: int64[n] (numbers, or symbols that are referred to), or Text."""

_REFERENCES = (Form.REF_ADDR, Form.SEC_OFFSET)


def encode(
    codes: Ints, columns: Columns, abbrevs: Sequence[Abbrev], ptrsize: int, endian: str
) -> Encoded:
    """Encode n entries; ``codes`` int[n], numbers of ``abbrevs``. Attributes that have no column
    are zero, those that an abbreviation lacks are left out."""
    encoder = _Encoder(codes, columns, abbrevs, ptrsize, endian)
    for code, rows in encoder.groups:
        encoder.write(code, rows)
    return encoder.result()


class _Encoder:
    def __init__(
        self, codes: Ints, columns: Columns, abbrevs: Sequence[Abbrev], ptrsize: int, endian: str
    ) -> None:
        self.columns, self.ptrsize, self.endian = columns, ptrsize, endian
        self.attributes = ((), *(abbrev.attributes for abbrev in abbrevs))
        self.references: list[tuple[I64, I64, int, int]] = []
        numbers = np.flatnonzero(np.bincount(codes)).tolist() if len(codes) else []
        self.groups = [(code, np.flatnonzero(codes == code)) for code in numbers]
        sizes = np.ones(len(codes), np.int64)
        for code, rows in self.groups:
            for at, form in self.attributes[code]:
                sizes[rows] += self._sizes(at, form, rows)
        self.starts = np.zeros(len(codes) + 1, np.int64)
        np.cumsum(sizes, out=self.starts[1:])
        self.content = np.zeros(int(self.starts[-1]), np.uint8)

    def _values(self, at: At, rows: I64) -> I64:
        column = self.columns.get(at)
        if column is None:
            return np.zeros(len(rows), np.int64)
        if isinstance(column, Text):
            raise TypeError(f"the attribute {at.name} is a number, not text")
        return column[rows]

    def _text(self, at: At) -> Text:
        column = self.columns[at]
        if not isinstance(column, Text):
            raise TypeError(f"the attribute {at.name} is text")
        return column

    def _sizes(self, at: At, form: Form, rows: I64) -> I64 | int:
        if form is Form.STRING:
            return self._text(at).size[rows] + 1
        if form is Form.UDATA:
            return uleb_sizes(self._values(at, rows))
        if form is Form.ADDR:
            return self.ptrsize
        return 1 if form in (Form.DATA1, Form.FLAG) else 4

    def write(self, code: int, rows: I64) -> None:
        """Write the entries of one code."""
        at = self.starts[rows]
        self.content[at] = code
        at = at + 1
        for attribute, form in self.attributes[code]:
            self._write(attribute, form, rows, at)
            at = at + self._sizes(attribute, form, rows)

    def _write(self, attribute: At, form: Form, rows: I64, at: I64) -> None:
        if form is Form.STRING:
            text = self._text(attribute)
            start, size = text.at[rows], text.size[rows]
            for source, some, base in (
                (text.source, start >= 0, start),
                (text.made, start < 0, -1 - start),
            ):
                copy_spans(self.content, at[some], source, base[some], size[some])
            return
        values = self._values(attribute, rows)
        if form in _REFERENCES:
            self.references.append((at, values, 4, R_DWARFSECREF))
        elif form is Form.ADDR:
            some = values != 0
            type_ = R_ADDROFF if attribute is At.GO_RUNTIME_TYPE else R_ADDR
            self.references.append((at[some], values[some], self.ptrsize, type_))
        elif form is Form.UDATA:
            put_leb(self.content, at, values.view(np.uint64), uleb_sizes(values))
        elif form is Form.FLAG or form is Form.DATA1:
            self.content[at] = values
        else:
            put_words(self.content, at, values, 4, self.endian)

    def result(self) -> Encoded:
        """What was written."""
        counts = [len(at) for at, *_ in self.references]
        none = [np.zeros(0, np.int64)]
        place = np.concatenate([at for at, *_ in self.references] or none)
        target = np.concatenate([to for _, to, *_ in self.references] or none)
        size = np.repeat([width for *_, width, _ in self.references], counts)
        type_ = np.repeat([number for *_, number in self.references], counts)
        order = np.argsort(place)
        return Encoded(
            self.content,
            self.starts,
            place[order],
            size[order].astype(np.uint8),
            type_[order].astype(np.uint16),
            target[order].astype(np.int32),
        )
