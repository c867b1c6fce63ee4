"""What linkpipe promises to other people's code.

Write passes, architectures, observers and scripts against the names of this module, and of
``linkpipe.testing``, alone. The promise (docs/api.md): within a major version of linkpipe a name
listed here stays, and keeps its meaning; one that has to go warns for two minor versions before it
does, and says what to use instead. Every other module may change from one release to the next.

A name is imported from where it lives when somebody asks for it, so a link pays only for those that
its passes use. To add one, add it to ``_HOME`` and, for type checkers, to the block below; tests
hold the two together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linkpipe import reloctype as reloctype
    from linkpipe.arch import Architecture as Architecture
    from linkpipe.arch import Stub as Stub
    from linkpipe.arch import StubReloc as StubReloc
    from linkpipe.arrays.align import round_up as round_up
    from linkpipe.arrays.columns import frozen as frozen
    from linkpipe.arrays.columns import table as table
    from linkpipe.arrays.image import get_words as get_words
    from linkpipe.arrays.image import put_words as put_words
    from linkpipe.arrays.ragged import distinct as distinct
    from linkpipe.arrays.ragged import expand as expand
    from linkpipe.arrays.ragged import offsets as offsets
    from linkpipe.arrays.ragged import owners as owners
    from linkpipe.arrays.types import I32 as I32
    from linkpipe.arrays.types import I64 as I64
    from linkpipe.arrays.types import U8 as U8
    from linkpipe.arrays.types import U16 as U16
    from linkpipe.arrays.types import U32 as U32
    from linkpipe.arrays.types import U64 as U64
    from linkpipe.arrays.types import Bool as Bool
    from linkpipe.arrays.types import Ints as Ints
    from linkpipe.ask.around import Around as Around
    from linkpipe.ask.around import around as around
    from linkpipe.ask.explain import Explanation as Explanation
    from linkpipe.ask.explain import explain as explain
    from linkpipe.ask.findings import Finding as Finding
    from linkpipe.ask.findings import to_junit as to_junit
    from linkpipe.ask.findings import to_sarif as to_sarif
    from linkpipe.ask.growth import Growth as Growth
    from linkpipe.ask.growth import growth as growth
    from linkpipe.ask.laidout import LaidOut as LaidOut
    from linkpipe.ask.laidout import laid_out as laid_out
    from linkpipe.ask.linknames import Linkname as Linkname
    from linkpipe.ask.linknames import linknames as linknames
    from linkpipe.ask.modules import Modules as Modules
    from linkpipe.ask.plugin_check import PluginCheck as PluginCheck
    from linkpipe.ask.plugin_check import plugin_check as plugin_check
    from linkpipe.ask.reasons import Reason as Reason
    from linkpipe.ask.report import Report as Report
    from linkpipe.ask.report import Watch as Watch
    from linkpipe.ask.report import report as report
    from linkpipe.ask.size import Size as Size
    from linkpipe.ask.size import size as size
    from linkpipe.ask.size import size_of_file as size_of_file
    from linkpipe.ask.sources import source_files as source_files
    from linkpipe.ask.unused_x import UnusedX as UnusedX
    from linkpipe.ask.unused_x import unused_x as unused_x
    from linkpipe.ask.verify import Verify as Verify
    from linkpipe.ask.verify import verify as verify
    from linkpipe.ask.whatif import Rank as Rank
    from linkpipe.ask.whatif import WhatIf as WhatIf
    from linkpipe.ask.whatif import rank as rank
    from linkpipe.ask.whatif import whatif as whatif
    from linkpipe.ask.why import Why as Why
    from linkpipe.ask.why import why as why
    from linkpipe.ask.why_no_dce import WhyNoDce as WhyNoDce
    from linkpipe.ask.why_no_dce import why_no_dce as why_no_dce
    from linkpipe.compare.buildinfo import BuildInfo as BuildInfo
    from linkpipe.compare.buildinfo import Module as Module
    from linkpipe.deadcode.inputs import extra_roots as extra_roots
    from linkpipe.debuginfo.sections import by_unit as by_unit
    from linkpipe.debuginfo.sections import with_debug_section as with_debug_section
    from linkpipe.engine.background import Result as Result
    from linkpipe.engine.background import Work as Work
    from linkpipe.engine.context import Link as Link
    from linkpipe.engine.hookspecs import Offer as Offer
    from linkpipe.engine.hookspecs import hookimpl as hookimpl
    from linkpipe.engine.pass_api import Pass as Pass
    from linkpipe.engine.pass_api import Step as Step
    from linkpipe.engine.pass_api import linkpass as linkpass
    from linkpipe.engine.pass_api import wrapping as wrapping
    from linkpipe.engine.plan import Plan as Plan
    from linkpipe.engine.plan import Planned as Planned
    from linkpipe.engine.runner import Observer as Observer
    from linkpipe.engine.saved import Saved as Saved
    from linkpipe.errors import InputError as InputError
    from linkpipe.errors import LinkpipeError as LinkpipeError
    from linkpipe.errors import MissingFact as MissingFact
    from linkpipe.errors import Refused as Refused
    from linkpipe.errors import UserError as UserError
    from linkpipe.errors import checkpoint as checkpoint
    from linkpipe.flags.options import Options as Options
    from linkpipe.formats import goobj as goobj
    from linkpipe.formats.elf import note_record as note_record
    from linkpipe.formats.importpath import path_to_prefix as path_to_prefix
    from linkpipe.functab.names import FunctionNames as FunctionNames
    from linkpipe.functab.names import read_function_names as read_function_names
    from linkpipe.functab.names import with_function_names as with_function_names
    from linkpipe.functab.records import FunctionRecords as FunctionRecords
    from linkpipe.functab.records import read_function_records as read_function_records
    from linkpipe.functab.records import with_function_records as with_function_records
    from linkpipe.gotypes.walk import GoItabs as GoItabs
    from linkpipe.gotypes.walk import GoStrings as GoStrings
    from linkpipe.gotypes.walk import GoTypes as GoTypes
    from linkpipe.gotypes.walk import read_itabs as read_itabs
    from linkpipe.gotypes.walk import read_strings as read_strings
    from linkpipe.gotypes.walk import read_types as read_types
    from linkpipe.gotypes.walk import with_type_strings as with_type_strings
    from linkpipe.layout.assign import layout_kinds as layout_kinds
    from linkpipe.layout.datawords import go_slice as go_slice
    from linkpipe.layout.datawords import go_string as go_string
    from linkpipe.layout.datawords import write_words as write_words
    from linkpipe.layout.ownsections import note_section as note_section
    from linkpipe.layout.ownsections import own_section as own_section
    from linkpipe.layout.ownsections import unloaded_section as unloaded_section
    from linkpipe.layout.textorder import functions_first as functions_first
    from linkpipe.observe.dump import Dumper as Dumper
    from linkpipe.observe.rows import Rows as Rows
    from linkpipe.observe.rows import rows as rows
    from linkpipe.output.finished import finished as finished
    from linkpipe.output.stdout import say as say
    from linkpipe.output.textfile import write_text as write_text
    from linkpipe.relockind import GENERIC as GENERIC
    from linkpipe.relockind import Places as Places
    from linkpipe.relockind import RelocKind as RelocKind
    from linkpipe.relockind import Sum as Sum
    from linkpipe.symkind import SymKind as SymKind
    from linkpipe.symkind import is_data as is_data
    from linkpipe.symkind import is_rodata as is_rodata
    from linkpipe.symkind import is_text as is_text
    from linkpipe.tables.relocs import Relocs as Relocs
    from linkpipe.tables.relocs import RelocsEdit as RelocsEdit
    from linkpipe.tables.sections import Section as Section
    from linkpipe.tables.sections import Sections as Sections
    from linkpipe.tables.symbols import Flag as Flag
    from linkpipe.tables.symbols import Symbols as Symbols
    from linkpipe.tables.symbols import SymbolsEdit as SymbolsEdit
    from linkpipe.tables.words import Address as Address
    from linkpipe.tables.words import Word as Word
    from linkpipe.values import evolve as evolve


API_VERSION = (1, 0)
"""Major and minor version of this promise. Minor: names were added. Major: names have gone."""

_HOME: Mapping[str, str] = MappingProxyType(
    {
        name: module
        for module, names in {
            "linkpipe": "reloctype",
            "linkpipe.arch": "Architecture Stub StubReloc",
            "linkpipe.arrays.align": "round_up",
            "linkpipe.arrays.columns": "frozen table",
            "linkpipe.arrays.image": "get_words put_words",
            "linkpipe.arrays.ragged": "distinct expand offsets owners",
            "linkpipe.arrays.types": "Bool I32 I64 Ints U8 U16 U32 U64",
            "linkpipe.ask.around": "Around around",
            "linkpipe.ask.explain": "Explanation explain",
            "linkpipe.ask.findings": "Finding to_junit to_sarif",
            "linkpipe.ask.growth": "Growth growth",
            "linkpipe.ask.laidout": "LaidOut laid_out",
            "linkpipe.ask.linknames": "Linkname linknames",
            "linkpipe.ask.modules": "Modules",
            "linkpipe.ask.plugin_check": "PluginCheck plugin_check",
            "linkpipe.ask.reasons": "Reason",
            "linkpipe.ask.report": "Report Watch report",
            "linkpipe.ask.size": "Size size size_of_file",
            "linkpipe.ask.sources": "source_files",
            "linkpipe.ask.unused_x": "UnusedX unused_x",
            "linkpipe.ask.verify": "Verify verify",
            "linkpipe.ask.whatif": "Rank WhatIf rank whatif",
            "linkpipe.ask.why": "Why why",
            "linkpipe.ask.why_no_dce": "WhyNoDce why_no_dce",
            "linkpipe.compare.buildinfo": "BuildInfo Module",
            "linkpipe.deadcode.inputs": "extra_roots",
            "linkpipe.debuginfo.sections": "by_unit with_debug_section",
            "linkpipe.engine.background": "Result Work",
            "linkpipe.engine.context": "Link",
            "linkpipe.engine.hookspecs": "Offer hookimpl",
            "linkpipe.engine.pass_api": "Pass Step linkpass wrapping",
            "linkpipe.engine.plan": "Plan Planned",
            "linkpipe.engine.runner": "Observer",
            "linkpipe.engine.saved": "Saved",
            "linkpipe.errors": "InputError LinkpipeError MissingFact Refused UserError checkpoint",
            "linkpipe.flags.options": "Options",
            "linkpipe.formats": "goobj",
            "linkpipe.formats.elf": "note_record",
            "linkpipe.formats.importpath": "path_to_prefix",
            "linkpipe.functab.names": "FunctionNames read_function_names with_function_names",
            "linkpipe.functab.records": (
                "FunctionRecords read_function_records with_function_records"
            ),
            "linkpipe.gotypes.walk": (
                "GoItabs GoStrings GoTypes read_itabs read_strings read_types with_type_strings"
            ),
            "linkpipe.layout.assign": "layout_kinds",
            "linkpipe.layout.datawords": "go_slice go_string write_words",
            "linkpipe.layout.ownsections": "note_section own_section unloaded_section",
            "linkpipe.layout.textorder": "functions_first",
            "linkpipe.observe.dump": "Dumper",
            "linkpipe.observe.rows": "Rows rows",
            "linkpipe.output.finished": "finished",
            "linkpipe.output.stdout": "say",
            "linkpipe.output.textfile": "write_text",
            "linkpipe.relockind": "GENERIC Places RelocKind Sum",
            "linkpipe.symkind": "SymKind is_data is_rodata is_text",
            "linkpipe.tables.relocs": "Relocs RelocsEdit",
            "linkpipe.tables.sections": "Section Sections",
            "linkpipe.tables.symbols": "Flag Symbols SymbolsEdit",
            "linkpipe.tables.words": "Address Word",
            "linkpipe.values": "evolve",
        }.items()
        for name in names.split()
    }
)
_DEPRECATED: Mapping[str, tuple[str, str]] = MappingProxyType({})
"""Old name -> the name to use instead, and the version of linkpipe that takes the old one away."""

__all__ = ["API_VERSION", "link", "require", "save", *sorted(_HOME)]  # noqa: PLE0604 - names are strings


def __getattr__(name: str) -> Any:
    if name in _DEPRECATED:
        import warnings

        instead, gone = _DEPRECATED[name]
        warnings.warn(
            f"linkpipe.api.{name} goes in linkpipe {gone}: use linkpipe.api.{instead}",
            DeprecationWarning,
            stacklevel=2,
        )
        return __getattr__(instead)
    if name not in _HOME:
        raise AttributeError(f"module 'linkpipe.api' has no attribute {name!r}")
    from importlib import import_module

    home = _HOME[name]
    module = import_module(home)
    value = getattr(module, name) if hasattr(module, name) else import_module(f"{home}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def require(version: str) -> None:
    """Say which version of this module the caller was written for: "MAJOR.MINOR". A plugin calls
    it at the top of its module.

    Raises UserError, which a link shows with the plugin's name, when this linkpipe has another
    major version or a smaller minor one.
    """
    from linkpipe import __version__
    from linkpipe.errors import UserError

    major, _, minor = version.partition(".")
    wanted = int(major), int(minor or 0)
    if wanted[0] != API_VERSION[0] or wanted[1] > API_VERSION[1]:
        have = ".".join(map(str, API_VERSION))
        what = "linkpipe" if wanted > API_VERSION else "the plugin"
        raise UserError(
            f"needs linkpipe.api {version}; linkpipe {__version__} has {have}",
            status=2,
            label="linkpipe",
            remedy=f"upgrade {what}",
        )


def link(
    target: str | Sequence[str],
    *,
    until: str | None = None,
    pipeline: str = "",
    observers: Iterable[Observer] = (),
    flags: Sequence[str] = (),
    output: str = "",
    variables: Mapping[str, str] | None = None,
    go: str = "",
) -> Link:
    """Link a program in this process, and see what is known at the end.

    ``target`` is a package, as ``go build`` names it (a path or an import path, seen from the
    current folder), which is compiled by the go command; or the file of a saved link; or the
    arguments of a link, a sequence of strings as `go tool link` takes them. The link runs up to and
    with the pass ``until``, to the barrier of that name, or with the last pass that provides the
    fact of that name; to its end when that is empty, and as far as its own ``-until`` or
    LINKPIPE_UNTIL says when it is None. ``pipeline`` is the pipeline file, the default one when
    empty. ``flags`` are those of ``go build`` for a package, and come before the arguments of a
    link. ``output`` is the file that a
    whole link writes, in place of the one that the arguments name; that of a package goes when the
    function returns, if none is given. ``variables`` is the environment of a link that is given by
    its arguments, this process's own when None.

        link = linkpipe.api.link("./cmd/prog", until="reachability")
        link.graph.why("main.main")
        linkpipe.api.rows(link, "relocs", match="main.main")

    Raises LinkpipeError, UserError among them where the go command fails.
    """
    from linkpipe.engine.saved import check_compiler
    from linkpipe.engine.session import run_link
    from linkpipe.values import evolve

    with _options(target, flags, variables, go) as (options, saved):
        if until is None:
            until = options.settings.until
        if saved and not until:
            check_compiler(saved, os.environ)
        if pipeline:
            settings = evolve(options.settings, pipeline=pipeline)
            options = evolve(options, settings=settings)
        if output:
            options = evolve(options, o=os.path.abspath(output))
        watching = tuple(observers)
        return run_link(options, lambda _: watching, until=until)


def save(
    target: str | Sequence[str],
    file: str,
    *,
    flags: Sequence[str] = (),
    strip_paths: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Saved:
    """Write a link into one file, which gives the same link anywhere: inputs, flags, the variables
    that a link reads, the plan. The file is a ``target`` of ``link``. The other arguments are those
    of ``link``; with ``strip_paths`` the file does not say where its inputs were.

    A link that fails before it is known how the file is linked is saved, too: so far as its flags
    and the importcfg say what belongs to it.

    Raises LinkpipeError, OSError.
    """
    from linkpipe.engine import saved
    from linkpipe.engine.plugins import Catalog
    from linkpipe.engine.runner import run_plan
    from linkpipe.engine.session import begin
    from linkpipe.errors import LinkpipeError

    with _options(target, flags, variables) as (options, again):
        plan, link = begin(options, Catalog(without=options.settings.disable_plugin), "mode")
        with suppress(LinkpipeError):
            link = run_plan(plan, link)
        return saved.save(link, file, strip_paths=strip_paths, again=again)


@contextmanager
def _options(
    target: str | Sequence[str],
    flags: Sequence[str],
    variables: Mapping[str, str] | None,
    go: str = "",
) -> Iterator[tuple[Options, Saved | None]]:
    """The options of a target's link, whose inputs are there until the end."""
    import tempfile

    from linkpipe.engine.saved import is_saved, options_of
    from linkpipe.engine.session import options_for
    from linkpipe.packages.gobuild import capture
    from linkpipe.values import evolve

    given = os.environ if variables is None else variables
    if not isinstance(target, str):
        yield options_for([*flags, *target], given, ""), None
        return
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
        if is_saved(target):
            options, saved = options_of(target, folder, given)
            yield evolve(options, o=os.path.join(folder, "out")), saved
            return
        found = capture(target, flags, folder, go=go)
        options = options_for(found.args, found.variables, found.tool)
        yield evolve(options, o=os.path.join(folder, "out")), None
