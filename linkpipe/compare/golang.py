"""Says what a place in Go's own tables means: the module data and the pclntab.

Layouts: runtime/symtab.go (moduledata, in the release that the file is of; pcHeader, _func). Sizes
that the files disagree on are told before contents are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.types import U8, U32
from linkpipe.compare.buildinfo import go_version
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.errors import UserError
from linkpipe.formats.elfread import Elf, damaged, string
from linkpipe.release import Release
from linkpipe.values import Shown, record

_WORDS = {
    **dict.fromkeys(
        "funcnametab cutab filetab pctab pclntable ftab textsectmap typelinks itablinks ptab "
        "pkghashes inittasks modulehashes".split(),
        (" (pointer)", " (length)", " (capacity)"),
    ),
    **dict.fromkeys(
        "pluginpath modulename gcdatamask gcbssmask".split(), (" (pointer)", " (length)")
    ),
}
"""Fields that are slices or strings; the others are one word."""
_REST = ("hasmain,bad", "gcdatamask", "gcbssmask", "typemap", "next")
"""Fields of the module data that every release has behind those that it names."""
_FUNC = (
    "entryOff nameOff args deferreturn pcsp pcfile pcln npcdata cuOffset startLine "
    "funcID,flag,nfuncdata"
).split()


def release_of_file(file: Elf) -> Release:
    """The release whose linker wrote a file, as its build information says; the newest one that is
    known where it does not say."""
    catalog = Catalog()
    try:
        return release_of(catalog, go_version(file))
    except UserError:
        return release_of(catalog, "")


def architectures() -> Iterator[Architecture]:
    """All architectures that are installed."""
    catalog = Catalog()
    return (catalog.load("arches", name) for name in catalog.offers("arches"))


def architecture_of_file(file: Elf) -> Architecture | None:
    """The architecture that a file is for; None for one that is not known."""
    for arch in architectures():
        if (arch.elf_machine, arch.endian) == (file.header["machine"], file.endian):
            return arch
    return None


def moduledata_field(release: Release, offset: int, word: int) -> str:
    """The field of a release's module data at an offset: "text", "ftab (length)"."""
    for name, at in moduledata_offsets(release, word).items():
        if at <= offset < at + word:
            return f"moduledata.{name}"
    return "past the module data's end"


def moduledata_offsets(release: Release, word: int) -> dict[str, int]:
    """Where each word of a release's module data is: "text", "ftab (length)" -> offset."""
    names = (
        name + part for name in (*release.module_fields, *_REST) for part in _WORDS.get(name, ("",))
    )
    return {name: word * i for i, name in enumerate(names)}


@record
class Pclntab(Shown):
    """The sub tables of a .gopclntab, found by its header."""

    data: U8
    word: int
    endian: str

    @classmethod
    def read(cls, file: Elf, section: int) -> Pclntab | None:
        """The table in a section; None when the header is not one."""
        return cls.parse(file.content(section), file.endian)

    @classmethod
    def parse(cls, data: U8, endian: str) -> Pclntab | None:
        """The table that some bytes begin with; None when the header is not one."""
        if len(data) < 72 or data[7] not in (4, 8):
            return None
        table = cls(data, int(data[7]), endian)
        starts = list(table.starts.values())
        ok = starts == sorted(starts) and starts[-1] + 8 * table.functions + 4 <= len(data)
        return table if ok else None

    @cached_property
    def _words(self) -> list[int]:
        dtype = f"{self.endian}u{self.word}"
        return [int(x) for x in self.data[8 : 8 + 8 * self.word].view(dtype)]

    @property
    def functions(self) -> int:
        """How many functions the header counts."""
        return self._words[0]

    @cached_property
    def starts(self) -> dict[str, int]:
        """Sub table -> offset in the section."""
        return {"pcHeader": 0} | dict(
            zip(
                ("funcnametab", "cutab", "filetab", "pctab", "functab"),
                self._words[3:8],
                strict=True,
            )
        )

    @property
    def files(self) -> list[str]:
        """The names of all source files."""
        table = self.data[self.starts["filetab"] : self.starts["pctab"]].tobytes()
        return [name.decode(errors="replace") for name in table.split(b"\0") if name]

    @cached_property
    def functab(self) -> U32:
        """(pc offset, offset of the function's record in functab): uint32[functions, 2]."""
        at = self.starts["functab"]
        raw = self.data[at : at + 8 * self.functions]
        return raw.view(f"{self.endian}u4").reshape(-1, 2)

    def u4(self, offset: int) -> int:
        """The 32-bit word at an offset of the section. Raises InputError where there is none."""
        if offset + 4 > len(self.data):
            raise damaged("", f"a table of functions refers to {offset:#x}, past its end", offset)
        return int(self.data[offset : offset + 4].view(f"{self.endian}u4")[0])

    def function(self, index: int) -> str:
        """The name of a function by its index in functab."""
        name = self.u4(self.starts["functab"] + int(self.functab[index, 1]) + 4)
        return self.text("funcnametab", name)

    def text(self, table: str, offset: int) -> str:
        """A string of funcnametab or filetab."""
        at = self.starts[table] + offset
        return string(self.data[at : at + 4096].tobytes(), 0)

    def table(self, offset: int) -> str:
        """The sub table that covers an offset of the section."""
        return [name for name, start in self.starts.items() if start <= offset][-1]

    def meaning(self, offset: int) -> str:
        """What stands at an offset of the section."""
        name = self.table(offset)
        at = offset - self.starts[name]
        where = f"{name}+{at:#x}"
        if name == "pcHeader":
            return f"{where}: word {(offset - 8) // self.word} of the header"
        if name in ("funcnametab", "filetab"):
            before = self.data[self.starts[name] : offset].tobytes()
            return f'{where}: in "{self.text(name, before.rfind(bytes(1)) + 1)}"'
        if name == "cutab":
            file = self.u4(self.starts[name] + at // 4 * 4)
            told = "no file" if file == 0xFFFFFFFF else self.text("filetab", file)
            return f"{where}: entry {at // 4}: {told}"
        if name == "pctab":
            return f"{where}: {self._pctab(at)}"
        return self._function(at)

    def _function(self, at: int) -> str:
        if at < 8 * self.functions:
            told = "record" if at % 8 >= 4 else "pc"
            return f"functab[{at // 8}], {told} of {self.function(at // 8)}"
        records = self.functab[:, 1]
        index = int(np.searchsorted(records, at, side="right")) - 1
        if index < 0:
            return f"functab+{at:#x}"
        inside = at - int(records[index])
        slot = inside // 4
        start = self.starts["functab"] + int(records[index])
        npcdata, nfuncdata = self.u4(start + 28), int(self.data[start + 43])
        if slot < len(_FUNC):
            field = _FUNC[slot]
        elif slot < len(_FUNC) + npcdata:
            field = f"pcdata[{slot - len(_FUNC)}]"
        elif slot < len(_FUNC) + npcdata + nfuncdata:
            field = f"funcdata[{slot - len(_FUNC) - npcdata}]"
        else:
            return f"functab+{at:#x}: past the records: go:func.* or findfunctab"
        return f"functab+{at:#x}: {field} of function {index}, {self.function(index)}"

    def _pctab(self, at: int) -> str:
        """Who uses the program at an offset of pctab: the function with the nearest start."""
        base = self.starts["functab"]
        words = self.data[base : base + (len(self.data) - base) // 4 * 4].view(f"{self.endian}u4")
        first = self.functab[:, 1].astype(np.int64) // 4
        best, told = -1, "nobody's"
        for slot in (4, 5, 6):
            starts = words[first + slot].astype(np.int64)
            starts[starts > at] = -1
            index = int(np.argmax(starts))
            if starts[index] > best:
                best = int(starts[index])
                told = f"{_FUNC[slot]} of function {index}, {self.function(index)}"
        return f"{at - best:#x} into {told} or a pcdata table after it"


def pclntab_sizes(a: Pclntab, b: Pclntab) -> Iterator[str]:
    """Sub tables whose size differs, and the first function that is in one only."""
    if a.functions != b.functions:
        yield f".gopclntab: {a.functions} functions, then {b.functions}"
    names = list(a.starts)
    for name, after in pairwise(names):
        one, other = a.starts[after] - a.starts[name], b.starts[after] - b.starts[name]
        if one != other:
            yield f".gopclntab: {name} has {one:#x} bytes, then {other:#x}"


def pclntab_content(a: Pclntab, b: Pclntab) -> Iterator[str]:
    """For each sub table the first place that differs, counted from that table's start."""
    ends = [*list(a.starts.values())[1:], len(a.data)]
    other_ends = [*list(b.starts.values())[1:], len(b.data)]
    for name, end, other_end in zip(a.starts, ends, other_ends, strict=True):
        one = a.data[a.starts[name] : end]
        other = b.data[b.starts[name] : other_end]
        n = min(len(one), len(other))
        differ = np.flatnonzero(one[:n] != other[:n])
        if not len(differ):
            continue
        at = int(differ[0])
        yield f".gopclntab: {name} differs in {len(differ)} bytes, first at {name}+{at:#x}"
        for file, table in (("first", a), ("second", b)):
            yield f"    {file:6}: {table.meaning(table.starts[name] + at)}"
