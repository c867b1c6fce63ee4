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
that is in the program, and the pass reads those. Where a file is not there it says so, and fails.

What an [[allow]] covers is let pass until its day has passed.

Reads `graph`, `symbols`, `relocs`, `objects`, `packages`, `mode`; provides nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

import attrs
import numpy as np

from linkpipe.api import (
    I64,
    Finding,
    Link,
    Modules,
    Reason,
    UserError,
    checkpoint,
    is_text,
    linknames,
    linkpass,
    source_files,
    to_junit,
    to_sarif,
    why,
    write_text,
)
from linkpipe_policy.rules import Policy, Rule, read

_SHOWN = 8
"""Steps of a chain that are shown."""
_UNSAFE = re.compile(rb'^\s*(?:import\s+)?(?:[\w.]+\s+)?"unsafe"', re.MULTILINE)


@attrs.frozen
class PolicyOptions:
    """Attributes:
    file: the policy.
    sarif, junit: files to write what was found into; none if not given.
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
    found = tuple(_judged(link, rules, _day(options.today)))
    told = {rule.name: rule.why for rule in rules.forbid}
    if options.sarif:
        write_text(options.sarif, to_sarif("linkpipe policy", told, found))
    if options.junit:
        write_text(options.junit, to_junit("linkpipe policy", told, found))
    checkpoint(
        UserError(
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
        by: of a linkname, the package that refers.
        subject: what to ask the link about: why is it there?
        detail: more about it, in words.
    """

    rule: Rule
    names: tuple[str, ...]
    subject: str
    by: str = ""
    detail: str = ""


def _judged(link: Link, rules: Policy, today: dt.date) -> Iterator[Finding]:
    """What is against the rules, with its chain, and what excuses it."""
    found = list(_Program(link).against(rules))
    subjects = list(dict.fromkeys(each.subject for each in found))
    answers = why(link, subjects, limit=1) if subjects else ()
    chains = {each: answer.chain for each, answer in zip(subjects, answers, strict=True)}
    for each in found:
        chain = chains[each.subject]
        excused, over = "", ""
        for rule in rules.allow:
            if rule.covers(each.rule.kind, each.names, each.by):
                if rule.until is None or today <= rule.until:
                    excused = rule.why
                else:
                    over = f" (it was allowed until {rule.until})"
        lines = [(r.own, r.line) for r in chain if r.line]
        place = next((line for own, line in reversed(lines) if own), lines[-1][1] if lines else "")
        file, _, line = place.rpartition(":")
        title = f"{each.rule.kind} {each.names[0]}" + (f" by {each.by}" if each.by else "")
        text = "".join((f"{title} is in the program{over}{each.detail}", *_steps(chain)))
        yield Finding(each.rule.name, text, file, int(line or 0), excused)


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

    def _package(self, rule: Rule) -> Iterator[_Found]:
        for path in self.packages:
            if rule.covers("package", (path,)):
                yield _Found(rule, (path,), path)

    def _module(self, rule: Rule) -> Iterator[_Found]:
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

    def _cgo(self, rule: Rule) -> Iterator[_Found]:
        items = self.link.packages.items
        # All that cgo writes imports runtime/cgo. What the runtime says to cgo is no use of it.
        bridge = self.link.packages.by_path.get("runtime/cgo", -1)
        using = {each.path for each in items if bridge in each.imports}
        for path in self.packages:
            if path in using and rule.covers("cgo", (path,)):
                yield _Found(rule, (path,), path)

    def _linkname(self, rule: Rule) -> Iterator[_Found]:
        for each in linknames(self.link):
            if self.modules.is_standard(each.package):
                continue
            if rule.covers("linkname", (each.target,), each.package):
                yield _Found(rule, (each.target,), each.source, each.package)

    def _unsafe(self, rule: Rule) -> Iterator[_Found]:
        for path, files in sorted(self._sources.items()):
            if not rule.covers("unsafe", (path,)):
                continue
            for file in sorted(files):
                try:
                    text = Path(file).read_bytes()
                except OSError as e:
                    detail = f": whether {file} uses it cannot be told, {e.strerror or e}"
                else:
                    if not _UNSAFE.search(text):
                        continue
                    detail = f", in {file}"
                yield _Found(rule, (path,), path, detail=detail)
                break

    @cached_property
    def _sources(self) -> dict[str, set[str]]:
        """The source files of packages that are not the standard library's, as far as code of them
        is in the program, inlined code too."""
        ids, owners = self._owned
        names = self.modules.packages
        own = {row for row, path in enumerate(names) if not self.modules.is_standard(path)}
        rows = np.flatnonzero(is_text(self.link.graph.symbols.kind[ids]) & np.isin(owners, [*own]))
        used = source_files(self.link, ids[rows])
        homes = [names[row] for row in owners[rows].tolist()]
        folders = {
            os.path.dirname(files[0]): home
            for home, files in zip(homes, used, strict=True)
            if files
        }
        found: dict[str, set[str]] = {}
        for home, files in zip(homes, used, strict=True):
            for file in files:
                folder = os.path.dirname(file)
                if not self._is_made(file) and not self.modules.is_standard(folder):
                    found.setdefault(folders.get(folder, home), set()).add(file)
        return found

    @staticmethod
    def _is_made(file: str) -> bool:
        """Whether it is no source of a package outside of the standard library: cgo's own, code of
        the compiler's, the standard library's."""
        name = PurePosixPath(file).name
        return name.startswith(("_cgo_", "<")) or file.startswith("$GOROOT/")
