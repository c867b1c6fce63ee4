"""Link: the frozen context that passes read and return.

What is known about a link is a set of *facts*: options, architecture, symbols, sections, image …
A pass reads facts as attributes and returns a new Link with some of them replaced; the old Link
stays valid, and facts that did not change are shared between the two.

To add a well-known fact, add one line to the list in ``Link``. Facts of third parties need no
line: they have dotted names and are read with ``link.fact("acme.count")``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import attrs
import numpy.typing as npt

from linkpipe.arrays.reuse import copied, has_room, reused, unseen
from linkpipe.arrays.types import I32, U8
from linkpipe.engine.background import Background, Result, Work, at_once
from linkpipe.errors import MissingFact, PassError
from linkpipe.values import Value, evolve, record

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.debuginfo.gathered import Gathered
    from linkpipe.flags.options import Options
    from linkpipe.graphs.graph import Graph
    from linkpipe.release import Release
    from linkpipe.tables.cgo import CgoFacts
    from linkpipe.tables.dwarf import DebugSection, Dwarf
    from linkpipe.tables.dynamic import Dynamic
    from linkpipe.tables.elfprep import ElfPrep
    from linkpipe.tables.elfsymtab import ElfSymtab
    from linkpipe.tables.extrelocs import ExternalRelocs
    from linkpipe.tables.hostlink import HostLink
    from linkpipe.tables.mode import Mode
    from linkpipe.tables.objects import Objects
    from linkpipe.tables.packages import Packages
    from linkpipe.tables.pclntab import Funcdata, FunctionData, Pclntab
    from linkpipe.tables.ptab import Ptab
    from linkpipe.tables.relocs import Relocs
    from linkpipe.tables.relro import Relro
    from linkpipe.tables.sections import Sections
    from linkpipe.tables.shlibs import AbiHash, ModuleHashes, Shlibs
    from linkpipe.tables.symbols import Symbols

T = TypeVar("T")

GIVEN = frozenset({"options", "arch", "release"})
"""Facts that every link starts with; any pass may read them without saying so."""


class Fact(Generic[T]):
    """A fact with a type, read as an attribute of a Link."""

    __slots__ = ("name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, link: None, owner: type[Link]) -> Fact[T]: ...
    @overload
    def __get__(self, link: Link, owner: type[Link]) -> T: ...
    def __get__(self, link: Link | None, owner: type[Link]) -> Fact[T] | T:
        if link is None:
            return self
        value: T = link.fact(self.name)
        return value


_EMPTY: Mapping[str, Any] = MappingProxyType({})


def _frozen(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(facts))


@record
class Access(Value):
    """What the pass that holds a Link has declared. ``alone``: what it sets anew nobody will look
    at as it was; the Link that it was given and the runner's are the only ones to have it."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    alone: bool = False


@attrs.frozen(eq=False, repr=False)
class Link:
    """An immutable link in progress.

    Attributes:
        facts: fact name -> value.
        providers: fact name -> names of the passes in the plan that provide it, for messages.
        set_by: fact name -> the pass of this run that set it last, for messages.
        access: what may be read and written; None outside of a pass: everything.
        background: owns what ``start`` starts and ``until_end`` enters; None outside of a run.
    """

    facts: Mapping[str, Any] = attrs.field(default=_EMPTY, converter=_frozen)
    providers: Mapping[str, tuple[str, ...]] = _EMPTY
    set_by: Mapping[str, str] = _EMPTY
    access: Access | None = None
    background: Background | None = None

    options: ClassVar[Fact[Options]] = Fact()
    arch: ClassVar[Fact[Architecture]] = Fact()
    release: ClassVar[Fact[Release]] = Fact()
    packages: ClassVar[Fact[Packages]] = Fact()
    objects: ClassVar[Fact[Objects]] = Fact()
    mode: ClassVar[Fact[Mode]] = Fact()
    symbols: ClassVar[Fact[Symbols]] = Fact()
    relocs: ClassVar[Fact[Relocs]] = Fact()
    cgo: ClassVar[Fact[CgoFacts]] = Fact()
    host_text: ClassVar[Fact[I32]] = Fact()
    host_files: ClassVar[Fact[Mapping[int, str]]] = Fact()
    inittasks: ClassVar[Fact[tuple[int, ...]]] = Fact()
    extra_roots: ClassVar[Fact[tuple[tuple[int, str], ...]]] = Fact()
    tracked: ClassVar[Fact[bytes]] = Fact()
    graph: ClassVar[Fact[Graph]] = Fact()
    dwarf_gathered: ClassVar[Fact[Gathered]] = Fact()
    dwarf: ClassVar[Fact[Dwarf]] = Fact()
    debug_sections: ClassVar[Fact[tuple[DebugSection, ...]]] = Fact()
    moduledata: ClassVar[Fact[int]] = Fact()
    tlsg: ClassVar[Fact[int]] = Fact()
    trampolines: ClassVar[Fact[Mapping[int, int]]] = Fact()
    text_order: ClassVar[Fact[I32]] = Fact()
    labels: ClassVar[Fact[I32]] = Fact()
    elf: ClassVar[Fact[ElfPrep]] = Fact()
    dynamic: ClassVar[Fact[Dynamic]] = Fact()
    pclntab: ClassVar[Fact[Pclntab]] = Fact()
    function_data: ClassVar[Fact[FunctionData]] = Fact()
    funcdata: ClassVar[Fact[Funcdata]] = Fact()
    section_groups: ClassVar[Fact[U8]] = Fact()
    type_order: ClassVar[Fact[I32]] = Fact()
    textsectmap: ClassVar[Fact[tuple[int, int]]] = Fact()
    ptab: ClassVar[Fact[Ptab]] = Fact()
    shlibs: ClassVar[Fact[Shlibs]] = Fact()
    abihash: ClassVar[Fact[AbiHash]] = Fact()
    modulehashes: ClassVar[Fact[ModuleHashes]] = Fact()
    moduledata_fields: ClassVar[Fact[Mapping[str, int]]] = Fact()
    relro: ClassVar[Fact[Relro]] = Fact()
    sections: ClassVar[Fact[Sections]] = Fact()
    image: ClassVar[Fact[U8]] = Fact()
    overlays: ClassVar[Fact[tuple[tuple[int, bytes], ...]]] = Fact()
    elf_symtab: ClassVar[Fact[ElfSymtab]] = Fact()
    external_relocs: ClassVar[Fact[ExternalRelocs]] = Fact()
    compiler_flags: ClassVar[Fact[Result[Mapping[str, bool]]]] = Fact()
    hostlink: ClassVar[Fact[HostLink]] = Fact()
    output: ClassVar[Fact[str]] = Fact()

    def fact(self, name: str) -> Any:
        """The value of a fact. Raises MissingFact when no pass has established it yet, PassError
        when the pass that asks has not declared it."""
        self._check_read(name)
        try:
            return self.facts[name]
        except KeyError:
            raise self._missing(name) from None

    def has(self, name: str) -> bool:
        """Whether the fact is established."""
        self._check_read(name)
        return name in self.facts

    def evolve(self, changes: Mapping[str, Any] | None = None, /, **facts: Any) -> Link:
        """A new Link with these facts set; names that are not identifiers go into ``changes``."""
        if changes:
            facts = {**changes, **facts}
        for name in facts:
            self._check_write(name)
        return evolve(self, facts={**self.facts, **facts})

    @property
    def alone(self) -> bool:
        """Whether nobody looks at what the pass sets anew as it was: facts are not kept."""
        return self.access is not None and self.access.alone

    @contextmanager
    def longer(self, name: str, size: int) -> Iterator[npt.NDArray[Any]]:
        """A longer array for a pass that sets the fact ``name`` anew: ``size`` elements, those of
        the fact and zeros behind them, to be written to within the block.

        It lies where the fact's array lies when there is room (linkpipe.arrays.reuse) and nobody
        else has that array, no Link of before either; else in memory of its own. So what the
        pass's own Link shows of the fact behind the block is the one or the other.
        """
        self._check_write(name)
        array = self.fact(name)
        alone = self.alone and has_room(array, size)
        del array
        alone = alone and unseen(self.facts, name, 2)
        with (reused if alone else copied)(self.facts[name], size) as made:
            yield made

    def within(self, access: Access | None) -> Link:
        """The same facts under another declaration (what the runner hands to a pass)."""
        return evolve(self, access=access)

    def start(self, work: Work[T]) -> Result[T]:
        """Let work go on beside the passes; a fact may hold the result (see background.py).
        Outside of a run it is waited for at once."""
        return self.background.start(work) if self.background else at_once(work)

    @contextmanager
    def until_end(self) -> Iterator[ExitStack]:
        """A stack for contexts that outlast the pass: they are left when the link ends, by the
        error if it fails, or at once if the block fails. Outside of a run they are left with the
        block."""
        with ExitStack() as stack:
            yield stack
            if self.background:
                self.background.keep(stack.pop_all())

    def _repr_html_(self) -> str:
        from linkpipe.tables.listing import html

        facts = [
            {
                "fact": name,
                "type": type(value).__name__,
                "rows": len(value) if hasattr(value, "__len__") else "",
            }
            for name, value in self.facts.items()
        ]
        return html(facts, len(facts))

    def _check_write(self, name: str) -> None:
        access = self.access
        if access is not None and name not in access.writes:
            raise PassError(
                f"sets the fact {name!r}, which it has not declared",
                name=access.name,
                fact=name,
                remedy=f'add "{name}" to `provides` of the pass {access.name}',
            )

    def _check_read(self, name: str) -> None:
        access = self.access
        if access is not None and name not in access.reads and name not in GIVEN:
            raise PassError(
                f"reads the fact {name!r}, which it has not declared",
                name=access.name,
                fact=name,
                remedy=f'add "{name}" to `requires` of the pass {access.name}',
            )

    def _missing(self, name: str) -> MissingFact:
        providers = self.providers.get(name, ())
        if providers:
            remedy = f"it is provided by {', '.join(providers)}: run that first"
        else:
            remedy = "no pass of this pipeline provides it: add one that does"
        return MissingFact(
            f"the fact {name!r} is not established", fact=name, providers=providers, remedy=remedy
        )
