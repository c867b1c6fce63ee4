"""gcdata: tell the garbage collector where pointers lie in data.

Variables with pointers lie in ``.data`` and ``.bss``; each has a type, and types know where
their pointers are. Strung together by address they make two programs for the runtime
(linkpipe/gcprog.py), ``runtime.gcdata`` and ``runtime.gcbss``.

Thousands of variables share some hundred types, so a type is turned into a list of steps once,
with places relative to the variable, and the steps are replayed for each variable.
An array is described by its first element and a repetition, a struct by its fields, any other
type by its pointer mask.

The programs are read-only data. They were sorted before they had a size, which is why they lie
among what has none, and are laid out when they have one.

Reads `symbols`, `objects`, `sections`; provides `symbols` with the programs as contents.
Source: cmd/link/internal/ld/data.go:1344-1448 (GCProg), 2058-2079.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from linkpipe.errors import InputError, LinkpipeError, checkpoint
from linkpipe.formats import goobj
from linkpipe.gcprog import GCProgram
from linkpipe.pass_api import Link, linkpass
from linkpipe.placing import place_sections
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Symbols
from linkpipe.typedata import TypeData
from linkpipe.typelayout import TFLAG_GC_MASK_ON_DEMAND, Kind
from linkpipe.typeview import TypeView, views

I64 = npt.NDArray[np.int64]

_PROGRAMS = (
    ("runtime.gcdata", ".data", SymKind.SDATA),
    ("runtime.gcbss", ".bss", SymKind.SBSS),
)
_DEEPEST = 200
"""Most types within types; the compiler allows no recursion, damaged files might have it."""


class _Step(NamedTuple):
    """``count`` 0: word ``at`` holds a pointer. Else: what the ``words`` words before ``at`` hold
    comes ``count`` times again. Words count from the variable's start."""

    at: int
    words: int = 0
    count: int = 0


@linkpass(requires=("symbols", "objects", "sections"), provides=("symbols",))
def gcdata(link: Link) -> Link:
    """Write the programs for .data and .bss."""
    symbols, arch, sections = link.symbols, link.arch, link.sections
    edit = symbols.edit()
    types = _Types(link)
    errors: list[LinkpipeError] = []
    placed = dict(
        zip(
            (s.name for s in sections.items if s.segment == "data"),
            place_sections(
                [s for s in sections.items if s.segment == "data"], symbols, arch
            ),
            strict=True,
        )
    )
    for name, section, kind in _PROGRAMS:
        ids = sections[sections.find(section)].symbols
        mine = symbols.kind[ids] == kind
        where = placed[section]
        variables, starts = ids[mine], where.offsets[mine] // arch.ptrsize
        program = GCProgram()
        goal = symbols.lookup(name)
        for sym, start, steps in zip(
            variables.tolist(), starts.tolist(), types.steps(variables, errors), strict=True
        ):
            _replay(symbols, program, sym, start, steps)
        edit.set_content(goal, program.end(where.size // arch.ptrsize))
    checkpoint(errors, limit=None if link.options.e else 20)
    return link.evolve(symbols=edit.freeze())


def _replay(
    symbols: Symbols, program: GCProgram, sym: int, start: int, steps: tuple[_Step, ...]
) -> None:
    try:
        for at, words, count in steps:
            if count:
                program.zeros_until(start + at)
                program.repeat(words, count)
            else:
                program.pointer(start + at)
    except ValueError as error:
        raise InputError(
            "the type of a variable describes more than the variable",
            symbol=symbols.name(sym),
            found=str(error),
            expected=f"at most {int(symbols.size[sym])} bytes",
            remedy="rebuild the package that defines it",
        ) from None


class _Types:
    """Types as steps, each made once."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.data = TypeData(
            link.symbols, link.objects, link.arch.ptrsize, link.arch.byteorder
        )
        self._steps: dict[int, tuple[_Step, ...]] = {0: ()}
        self._views: dict[int, TypeView] = {}

    def steps(
        self, variables: npt.NDArray[np.int32], errors: list[LinkpipeError]
    ) -> list[tuple[_Step, ...]]:
        """The steps of each variable; those without a type are errors."""
        symbols = self.link.symbols
        auxs = self.link.objects.auxs(
            symbols.object[variables], symbols.local[variables], (goobj.AUX_GOTYPE,)
        )
        typed = np.flatnonzero(auxs.counts)
        first = (np.cumsum(auxs.counts) - auxs.counts)[typed]
        type_ = np.zeros(len(variables), np.int64)
        type_[typed] = auxs.target[first]
        for sym in variables[type_ == 0].tolist():
            errors.append(
                InputError(
                    "missing Go type information for global symbol "
                    f"{symbols.name(sym)}: size {int(symbols.size[sym])}",
                    symbol=symbols.name(sym),
                    remedy="declare it in Go, or as NOPTR in assembly if it holds no pointers",
                )
            )
        self._read(np.unique(type_[type_ != 0]))
        return [self._of(t, errors) for t in type_.tolist()]

    def _read(self, ids: I64) -> None:
        """Read these types and all that they consist of."""
        depth = 0
        while len(ids):
            self._views.update((view.symbol, view) for view in views(self.data, ids))
            parts = {
                part
                for view in map(self._views.__getitem__, ids.tolist())
                for part in _parts(view)
            }
            ids = np.array(sorted(parts - self._views.keys() - {0}), np.int64)
            depth += 1
            if depth > _DEEPEST:
                self._refuse(int(ids[0]), "types are nested without end")

    def _of(self, sym: int, errors: list[LinkpipeError]) -> tuple[_Step, ...]:
        steps = self._steps.get(sym)
        if steps is None:
            view = self._views[sym]
            if not view.ptrdata:
                errors.append(
                    InputError(
                        "has no pointers but in data section",
                        symbol=self.link.symbols.name(sym),
                        remedy="rebuild the package that uses it",
                    )
                )
            self._steps[sym] = ()  # should a damaged type contain itself
            steps = self._steps[sym] = tuple(self._make(view, errors))
        return steps

    def _make(self, view: TypeView, errors: list[LinkpipeError]) -> list[_Step]:
        word = self.link.arch.ptrsize
        steps: list[_Step] = []
        if view.kind == Kind.ARRAY:
            steps += self._of(view.elem, errors)
            if view.length > 1 and view.elem:
                size = self._views[view.elem].size // word
                steps.append(_Step(size, size, view.length - 1))
        elif view.kind == Kind.STRUCT:
            for field, offset in view.field_types:
                if field and self._views[field].ptrdata:
                    at = offset // word
                    steps += [_Step(at + s.at, s.words, s.count) for s in self._of(field, errors)]
        else:
            mask = self._mask(view)
            steps += [_Step(i) for i in range(view.ptrdata // word) if mask >> i & 1]
        return steps

    def _mask(self, view: TypeView) -> int:
        """The pointer mask of a type, one bit for each word."""
        if view.tflag & TFLAG_GC_MASK_ON_DEMAND:
            self._refuse(view.symbol, "GC mask not available")
        mask = view.refs.get(self.data.layout.gcdata, 0)
        content = bytes(self.link.symbols.data(mask)) if mask else b""
        if len(content) * 8 * self.link.arch.ptrsize < view.ptrdata:
            self._refuse(view.symbol, "the pointer mask is cut short")
        return int.from_bytes(content, "little")

    def _refuse(self, sym: int, message: str) -> None:
        raise InputError(
            message,
            symbol=self.link.symbols.name(sym),
            remedy="rebuild the package with the Go version that links it",
        )


def _parts(view: TypeView) -> list[int]:
    """The types that this one's pointers are described by."""
    if view.kind == Kind.ARRAY:
        return [view.elem]
    if view.kind == Kind.STRUCT:
        return [type_ for type_, _ in view.field_types]
    return []
