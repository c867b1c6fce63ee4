"""What a pass is, and how one is written.

    from linkpipe.api import Link, linkpass

    @linkpass(requires=("symbols",), provides=("acme.count",))
    def count(link: Link) -> Link:
        '''Count the reachable symbols.'''
        return link.evolve({"acme.count": len(link.symbols.reachable())})

A pass never changes the Link it is given; it returns a new one. It reads only what it
``requires`` (or may use, ``optional``) and sets only what it ``provides``; the runner holds it to
that. A pass that updates a table names it in both. Order and conditions stand in the pipeline
file, not in the pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

import attrs

from linkpipe.engine.context import Access, Link
from linkpipe.values import Shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Link", "Pass", "Step", "linkpass", "wrapping"]

Step = Callable[[Link], Link]
"""A pass that has its options: from one Link to the next."""


def _names(facts: Iterable[str]) -> tuple[str, ...]:
    if isinstance(facts, str):
        raise TypeError(f"expected a tuple of fact names, found the string {facts!r}")
    return tuple(facts)


@attrs.frozen(eq=False, repr=False)
class Pass(Shown):
    """One stage of the linker.

    Attributes:
        name: as the pipeline file names it.
        run: ``run(link)``, or ``run(link, options)`` when the pass has options.
        requires: facts that must be established before.
        provides: facts that it sets.
        optional: facts that it reads when they are established.
        options: an attrs class with a default for every field, None: it takes no options.
        doc: its docstring's first line.
        inputs: options that name files which it reads: fields of ``options`` of type Path (or
            ``Path | None``, or a tuple of Path), without a file by default. What is in the files
            becomes a part of the link's identity.
        changes: parts of facts that it both requires and provides ("symbols.contents"): of those
            facts it changes no other part. Of a fact of which no part is named it may change any.
        always: whether it is to run in each build, because it writes a file, say: the go command
            then links what is up to date, too.
        concurrent: whether the passes behind it may run beside it, until one needs what it
            provides. It then runs in a thread: it reads the Link, and has no other effect than
            what it returns.
        checks: whether a pass that provides nothing only raises errors. Any other one is there for
            its effect and waits until all that run beside it have ended, so that nothing happens
            where the link fails before; what a check prints may come before their errors.
    """

    name: str
    run: Callable[..., Link]
    requires: tuple[str, ...] = attrs.field(default=(), converter=_names)
    provides: tuple[str, ...] = attrs.field(default=(), converter=_names)
    optional: tuple[str, ...] = attrs.field(default=(), converter=_names)
    options: type[Any] | None = None
    doc: str = ""
    inputs: tuple[str, ...] = attrs.field(default=(), converter=_names)
    changes: tuple[str, ...] = attrs.field(default=(), converter=_names)
    always: bool = False
    concurrent: bool = False
    checks: bool = False

    def __attrs_post_init__(self) -> None:
        for path in self.changes:
            fact = path.rpartition(".")[0]
            if fact not in self.requires or fact not in self.provides:
                raise TypeError(
                    f"pass {self.name}: {path!r} in `changes` is no part of a fact that it both "
                    "requires and provides"
                )
        if self.options is not None:
            if not attrs.has(self.options):
                raise TypeError(f"pass {self.name}: its options are not an attrs class")
            self.options()  # every option needs a default
        fields = {} if self.options is None else attrs.fields_dict(self.options)
        for name in self.inputs:
            if name not in fields or "Path" not in str(fields[name].type):
                raise TypeError(f"pass {self.name}: its input {name!r} is no option of type Path")
        if self.options is not None and self.files(self.options()):
            raise TypeError(f"pass {self.name}: an input has a file by default")

    def files(self, options: Any) -> tuple[Path, ...]:
        """The files that the pass reads, given its options."""
        found: list[Path] = []
        for name in self.inputs:
            value = getattr(options, name)
            found += value if isinstance(value, tuple) else (value,) if value is not None else ()
        return tuple(found)

    @property
    def sets(self) -> tuple[str, ...]:
        """What it sets, as paths: the facts that it provides, or the parts of them that it says it
        changes."""
        partly = {path.rpartition(".")[0] for path in self.changes}
        return (*(fact for fact in self.provides if fact not in partly), *self.changes)

    @property
    def access(self) -> Access:
        """What the runner lets it read and write. What it has set it may read again."""
        reads = frozenset(self.requires + self.optional + self.provides)
        return Access(self.name, reads, frozenset(self.provides))

    def __call__(self, link: Link, options: Any = None) -> Link:
        """Run it without a runner: no enforcement, no observers. For tests and notebooks."""
        if self.options is None:
            return self.run(link)
        return self.run(link, self.options() if options is None else options)


def linkpass(
    *,
    requires: Iterable[str] = (),
    provides: Iterable[str] = (),
    optional: Iterable[str] = (),
    options: type[Any] | None = None,
    inputs: Iterable[str] = (),
    changes: Iterable[str] = (),
    always: bool = False,
    concurrent: bool = False,
    checks: bool = False,
    name: str | None = None,
) -> Callable[[Callable[..., Link]], Pass]:
    """Make a Pass of a function. The name defaults to the last part of its module's name."""

    def decorate(run: Callable[..., Link]) -> Pass:
        own = name or run.__module__.rpartition(".")[2]
        doc = (run.__doc__ or "").strip().partition("\n")[0]
        return Pass(
            own,
            run,
            requires,
            provides,
            optional,
            options,
            doc,
            inputs,
            changes,
            always,
            concurrent,
            checks,
        )

    return decorate


@attrs.frozen(eq=False, repr=False)
class Wrapping(Shown):
    """A pass that wraps another one, before it is known which.

    Attributes:
        name: as the pipeline file names it.
        wrapped: the name of the other one.
        run: ``run(link, step)``.
        requires, provides, optional: facts, beside those of the other one.
        doc: its docstring's first line.
        always: whether it is to run in each build (see Pass), even if the other one is not.
    """

    name: str
    wrapped: str
    run: Callable[[Link, Step], Link]
    requires: tuple[str, ...] = attrs.field(default=(), converter=_names)
    provides: tuple[str, ...] = attrs.field(default=(), converter=_names)
    optional: tuple[str, ...] = attrs.field(default=(), converter=_names)
    doc: str = ""
    always: bool = False

    def over(self, inner: Pass) -> Pass:
        """The pass that wraps this one."""

        @wraps(self.run)
        def with_options(link: Link, *options: Any) -> Link:
            return self.run(link, lambda given: inner.run(given, *options))

        return Pass(
            self.name,
            with_options,
            tuple(dict.fromkeys((*inner.requires, *self.requires))),
            tuple(dict.fromkeys((*inner.provides, *self.provides))),
            tuple(dict.fromkeys((*inner.optional, *self.optional))),
            inner.options,
            self.doc,
            inner.inputs,
            tuple(path for path in inner.changes if path.rpartition(".")[0] not in self.provides),
            inner.always or self.always,
        )


def wrapping(
    wrapped: str,
    *,
    name: str,
    requires: Iterable[str] = (),
    provides: Iterable[str] = (),
    optional: Iterable[str] = (),
    always: bool = False,
) -> Callable[[Callable[[Link, Step], Link]], Wrapping]:
    """Make a pass that stands in for another one, does something before or after it, or leaves it
    out: ``run(link, step)``, where ``step`` is the other pass with the options of the pipeline.

    It reads, sets and takes as options what the other does, which is the pass ``wrapped`` of what
    is installed and not disabled when a pipeline asks for this one; the other arguments say what it
    reads and sets besides. Where there is no such pass the link says so.
    """

    def decorate(run: Callable[[Link, Step], Link]) -> Wrapping:
        doc = (run.__doc__ or "").strip().partition("\n")[0]
        return Wrapping(name, wrapped, run, requires, provides, optional, doc, always)

    return decorate
