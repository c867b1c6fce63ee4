"""policy: fail the link when something forbidden is in the program, and say what brought it there.

Tools that read source, or the list of modules, can only say what might be in a program. The linker
knows: after `reachability` a package is in the program when any symbol of it is, and the graph has
the chain of reasons. A policy file says what is forbidden (rules.py), by name:

    package, module     anything of it is in the program; a module also as PATH@VERSION
    symbol              it is in the program
    cgo                 a package of that name is in the program, and cgo had to do with it
    linkname            a symbol that a package, not of the standard library, refers to by linkname
    unsafe              a package, not of the standard library, has a function in the program that
                        comes from a file that imports unsafe

The linker sees no `import "unsafe"`: it leaves no trace. It knows the source files of each function
that is in the program, and the pass reads what those import. Where that cannot be told (a file is
not there, or by its name it is none of the package) it says so, and fails.

What an [[allow]] covers is let pass until its day has passed.

Reads `graph`, `symbols`, `relocs`, `objects`, `packages`, `mode`; provides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import attrs
import numpy as np

from linkpipe.api import (
    I64,
    Finding,
    Link,
    Modules,
    Reason,
    Refused,
    UserError,
    checkpoint,
    linknames,
    linkpass,
    to_junit,
    to_sarif,
    why,
    write_text,
)
from linkpipe_policy.rules import Policy, Rule, read
from linkpipe_policy.sources import Sources

_SHOWN = 8
"""Steps of a chain that are shown."""
_MOST = 20
"""Things found that are told of one rule, each with its chain; the others are counted."""


@attrs.frozen
class PolicyOptions:
    """Attributes:
    file: the policy.
    sarif, junit: files to write what was found into; none if not given. {program} in their
        names is the import path of the main package, with - for each /.
    today: the day, "2026-11-26", that exceptions are measured by; none for this day.
    """

    file: Path | None = None
    sarif: Path | None = None
    junit: Path | None = None
    today: str = ""


@linkpass(
    requires=("graph", "symbols", "relocs", "objects", "packages", "mode"),
    options=PolicyOptions,
    inputs=("file",),
    name="policy",
)
def policy(link: Link, options: PolicyOptions) -> Link:
    """Refuse what the policy forbids."""
    if options.file is None:
        raise UserError(
            "policy: there is no policy",
            remedy='name its file: options = { file = "policy.toml" }',
            status=2,
            label="linkpipe",
        )
    rules = read(options.file)
    program = _Program(link)
    found = tuple(_judged(program, rules, _day(options.today)))
    told = {rule.name: rule.why for rule in rules.forbid}
    if options.sarif:
        write_text(program.file(options.sarif), to_sarif("linkpipe policy", told, found))
    if options.junit:
        write_text(program.file(options.junit), to_junit("linkpipe policy", told, found))
    checkpoint(
        Refused(
            f"policy: {each.text}",
            remedy=f"forbidden, for {told[each.rule]}: do without it, or [[allow]] it for a time",
        )
        for each in found
        if not each.excused
    )
    return link


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else dt.date.today()
    except ValueError as e:
        raise UserError(
            f'policy: "{text}" is no day', remedy='write today = "2026-11-26"', status=2
        ) from e


@attrs.frozen
class _Found:
    """Something that a rule forbids.

    Attributes:
        rule: the rule.
        names: its names, the one to show first.
        by: of a linkname, the names of the package that refers.
        subject: what to ask the link about: why is it there?
        detail: more about it, in words.
    """

    rule: Rule
    names: tuple[str, ...]
    subject: str
    by: tuple[str, ...] = ()
    detail: str = ""


def _judged(program: _Program, rules: Policy, today: dt.date) -> Iterator[Finding]:
    """What is against the rules, with its chain, and what excuses it."""
    count: Counter[tuple[str, str]] = Counter()
    told = []
    for each in program.against(rules):
        excused, over = _excuse(each, rules, today)
        count[each.rule.name, excused] += 1
        if count[each.rule.name, excused] <= _MOST:
            told.append((each, excused, over))
    subjects = list(dict.fromkeys(each.subject for each, _, _ in told))
    answers = why(program.link, subjects, limit=1) if subjects else ()
    chains = {each: answer.chain for each, answer in zip(subjects, answers, strict=True)}
    for each, excused, over in told:
        chain = chains[each.subject]
        lines = [(r.own, r.line) for r in chain if r.line]
        place = next((line for own, line in reversed(lines) if own), lines[-1][1] if lines else "")
        file, _, line = place.rpartition(":")
        title = f"{each.rule.kind} {each.names[0]}" + (f" by {each.by[0]}" if each.by else "")
        text = "".join((f"{title} is in the program{over}{each.detail}", *_steps(chain)))
        yield Finding(each.rule.name, text, file, int(line or 0), excused)
    for (name, excused), found in count.items():
        if found > _MOST:
            text = f"{name}: {found - _MOST} more are in the program"
            yield Finding(name, text, excused=excused)


def _excuse(found: _Found, rules: Policy, today: dt.date) -> tuple[str, str]:
    """Why it is let pass, "": it is not; and until when it was, in words."""
    excused, over = "", ""
    for rule in rules.allow:
        if rule.covers(found.rule.kind, found.names, found.by):
            if rule.until is None or today <= rule.until:
                excused = rule.why
            else:
                over = f" (it was allowed until {rule.until})"
    return excused, over


def _steps(chain: tuple[Reason, ...]) -> Iterator[str]:
    """A line for each step of a chain, those nearest to what it leads to where there are many."""
    if len(chain) > _SHOWN:
        yield f"\n\t… {len(chain) - _SHOWN} steps"
    for reason in chain[-_SHOWN:]:
        places = (reason.line, *(each.line for each in reason.inlined), reason.because)
        where = "; ".join(place for place in places if place)
        yield f"\n\t{reason.kind}: {reason.target}" + (f"  ({where})" if where else "")


@attrs.frozen(slots=False)
class _Program:
    """What is in the program, as far as rules ask."""

    link: Link

    def against(self, rules: Policy) -> Iterator[_Found]:
        """Everything that a rule forbids, rule by rule."""
        for rule in rules.forbid:
            yield from getattr(self, f"_{rule.kind}")(rule)

    @cached_property
    def modules(self) -> Modules:
        """Whose code it is."""
        return Modules(self.link)

    @cached_property
    def _owned(self) -> tuple[I64, I64]:
        """The symbols in the program, and the package of each by its row."""
        ids = self.link.graph.symbols.reachable()
        owners, _ = self.modules.owners(ids)
        return ids, owners

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """The packages that anything is in the program of."""
        present = np.unique(self._owned[1]).tolist()
        names = self.modules.packages
        return tuple(names[row] for row in present if row < len(names))

    def names(self, package: str) -> tuple[str, ...]:
        """What a package is called: the main one has two names."""
        if package != self.modules.main_package:
            return (package,)
        return tuple(dict.fromkeys((package, "main", self.modules.program)))

    def file(self, name: Path) -> Path:
        """A file to write, of this program."""
        return Path(str(name).replace("{program}", self.modules.program.replace("/", "-")))

    def _package(self, rule: Rule) -> Iterator[_Found]:
        for path in self.packages:
            names = self.names(path)
            if rule.covers("package", names):
                yield _Found(rule, names, path)

    def _module(self, rule: Rule) -> Iterator[_Found]:
        if not self.modules.info.modules:
            raise UserError(
                f"policy: whether {rule.pattern} is in the program cannot be told: the go command "
                "named no modules",
                remedy='build in a module, or forbid packages: package = "PATH/..."',
            )
        for path, module in self.modules.info.modules.items():
            instead = module.replace
            names = [path, f"{path}@{module.version}"]
            if instead:
                names += [instead.path, f"{instead.path}@{instead.version}"]
            first = next((p for p in self.packages if self.modules.module(p) == path), "")
            if first and rule.covers("module", tuple(names)):
                yield _Found(rule, tuple(names), first)

    def _symbol(self, rule: Rule) -> Iterator[_Found]:
        ids, _ = self._owned
        names = {n.decode("utf-8", "surrogateescape") for n in self.link.graph.symbols.names(ids)}
        for name in sorted(names):
            if name and rule.covers("symbol", (name,)):
                yield _Found(rule, (name,), name)

    @cached_property
    def _using_cgo(self) -> set[str]:
        # All that cgo writes imports runtime/cgo. What the runtime says to cgo is no use of it.
        bridge = self.link.packages.by_path.get("runtime/cgo", -1)
        return {each.path for each in self.link.packages.items if bridge in each.imports}

    def _cgo(self, rule: Rule) -> Iterator[_Found]:
        for path in self.packages:
            names = self.names(path)
            if path in self._using_cgo and rule.covers("cgo", names):
                yield _Found(rule, names, path)

    def _linkname(self, rule: Rule) -> Iterator[_Found]:
        for each in linknames(self.link):
            if self.modules.is_standard(each.package):
                continue
            by = self.names(each.package)
            if rule.covers("linkname", (each.target,), by):
                yield _Found(rule, (each.target,), each.source, by)

    def _unsafe(self, rule: Rule) -> Iterator[_Found]:
        for path in sorted(self._sources.files):
            names = self.names(path)
            detail = self._sources.unsafe(path) if rule.covers("unsafe", names) else ""
            if detail:
                yield _Found(rule, names, path, detail=detail)

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.link, self.modules, self._using_cgo)
