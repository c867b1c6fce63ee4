"""The flags of `go tool link`, read into one frozen, checked Options.

The class below *is* the flag table: one field for each flag, named like it, in the order of the
oracle's usage text, with the oracle's words (cmd/link/internal/ld/main.go, 55 to 121 and 164 to
343). A flag that linkpipe does not carry out yet is refused by name, never ignored; a flag whose
value stays at its default may always be given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from linkpipe.errors import MAX_ERRORS, LinkpipeError, OptionError
from linkpipe.flags.environ import Environment
from linkpipe.flags.goflag import Flag, Kind, expand_args, parse, quote, usage_text
from linkpipe.flags.settings import FIELD_OF, OWN_FLAGS, Settings, from_environment
from linkpipe.formats.archive import compiled_with
from linkpipe.values import Value, evolve, record

if TYPE_CHECKING:
    from linkpipe.release import Release

BUILD_MODES = ("exe", "pie", "c-archive", "c-shared", "shared", "plugin")
_NONE: Mapping[str, str] = MappingProxyType({})
_ENTRIES = {"exe": "", "pie": "", "c-archive": "_lib", "c-shared": "_lib"}
"""What the name of the runtime's entry ends in (lib.go, libinit); other modes have none."""
LINK_MODES = ("auto", "internal", "external")
HEAD_TYPES = (
    "aix darwin ios dragonfly freebsd js linux android netbsd openbsd plan9 illumos solaris wasip1 "
    "windows windowsgui"
).split()


def _build_mode(value: str) -> None:
    if value not in BUILD_MODES:
        raise ValueError(f"invalid buildmode: {quote(value)}")


def _link_mode(value: str) -> None:
    if value not in LINK_MODES:
        raise ValueError(f"invalid linkmode: {quote(value)}")


def _mac_version(value: str) -> None:
    numbers = value.split(".")
    # So many digits only: Python refuses to read a number of thousands.
    found = [re.fullmatch("([+-]?)0*([0-9]{1,3})", number, re.ASCII) for number in numbers]
    if len(numbers) > 3 or any(not n or not 0 <= int(n[1] + n[2]) <= 0xFF for n in found):
        raise ValueError(f"invalid version {quote(value)}")


def _flag(
    kind: Kind,
    usage: str,
    default: Any = None,
    *,
    check: Callable[[Any], None] | None = None,
    refuse: str = "",
) -> Any:
    """A field that is a flag. ``refuse``: why any value but the default is refused."""
    value = kind.zero if default is None else default
    meta = {"kind": kind, "usage": usage, "check": check, "refuse": refuse}
    return attrs.field(default=value, metadata=meta)


NOT_RUN = "/nonexistent/compiler-of-a-saved-link"
"""The C compiler (-extld) of a link that may run none."""

_LATER = "is not supported yet"


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Options(Value):
    """One attribute for each flag, named like it; then what is not a flag.

    Attributes:
        main: the main package's archive.
        operands: what stands behind the flags: ``main``, or the packages of a shared library.
        environment: what the oracle takes from its environment.
        settings: linkpipe's own flags.
        args: the command line as it was given.
        moved: folders of shared libraries of Go that are not those in which programs look for them,
            each with that folder, with the slash behind them: those of a saved link.
    """

    B: str = _flag(
        Kind.STRING,
        "set ELF NT_GNU_BUILD_ID `note` or Mach-O UUID; "
        'use "gobuildid" to generate it from the Go build ID; "none" to disable',
    )
    D: int = _flag(Kind.INT, "set the start address of data symbols", -1)
    E: str = _flag(Kind.STRING, "set `entry` symbol name")
    H: str = _flag(Kind.STRING, "set header `type`")
    I: str = _flag(Kind.STRING, "use `linker` as ELF dynamic linker")
    L: tuple[str, ...] = _flag(Kind.LIST, "add specified `directory` to library path")
    R: int = _flag(Kind.INT, "set address rounding `quantum`", -1)
    T: int = _flag(Kind.INT, "set the start address of text symbols", -1)
    X: tuple[str, ...] = _flag(
        Kind.LIST, "add string value `definition` of the form importpath.name=value"
    )
    a: bool = _flag(Kind.BOOL, "no-op (deprecated)")
    asan: bool = _flag(Kind.BOOL, "enable ASan interface")
    aslr: bool = _flag(Kind.BOOL, "enable ASLR for buildmode=c-shared on windows", True)
    benchmark: str = _flag(Kind.STRING, "set to 'mem' or 'cpu' to enable phase benchmarking")
    benchmarkprofile: str = _flag(Kind.STRING, "emit phase profiles to `base`_phase.{cpu,mem}prof")
    bindnow: bool = _flag(
        Kind.BOOL, "mark a dynamically linked ELF object for immediate function binding"
    )
    buildid: str = _flag(Kind.STRING, "record `id` as Go toolchain build id")
    buildmode: str = _flag(Kind.VALUE, "set build `mode`", check=_build_mode)
    c: bool = _flag(Kind.BOOL, "dump call graph")
    capturehostobjs: str = _flag(
        Kind.STRING,
        "capture host object files loaded during internal linking to specified dir",
    )
    checklinkname: bool = _flag(Kind.BOOL, "check linkname symbol references", True)
    compressdwarf: bool = _flag(Kind.BOOL, "compress DWARF if possible", True)
    cpuprofile: str = _flag(Kind.STRING, "write cpu profile to `file`")
    d: bool = _flag(Kind.BOOL, "disable dynamic executable")
    debugnosplit: bool = _flag(Kind.BOOL, "dump nosplit call graph")
    debugtextsize: int = _flag(Kind.INT, "debug text section max size")
    debugtramp: int = _flag(Kind.INT, "debug trampolines")
    dumpdep: bool = _flag(Kind.BOOL, "dump symbol dependency graph")
    e: bool = _flag(Kind.BOOL, "no limit on number of errors reported")
    extar: str = _flag(Kind.STRING, "archive program for buildmode=c-archive")
    extld: tuple[str, ...] = _flag(Kind.QUOTED, "use `linker` when linking in external mode")
    extldflags: tuple[str, ...] = _flag(Kind.QUOTED, "pass `flags` to external linker")
    f: bool = _flag(Kind.BOOL, "ignore version mismatch")
    fipso: str = _flag(Kind.STRING, "write fips module to `file`")
    funcalign: int = _flag(Kind.INT, "set function align to `N` bytes")
    g: bool = _flag(Kind.BOOL, "disable go package data checks")
    h: bool = _flag(Kind.BOOL, "halt on error")
    importcfg: str | None = _flag(Kind.OPTIONAL, "read import configuration from `file`")
    installsuffix: str = _flag(Kind.STRING, "set package directory `suffix`")
    k: str = _flag(Kind.STRING, "set field tracking `symbol`")
    libgcc: str = _flag(
        Kind.STRING, 'compiler support lib for internal linking; use "none" to disable'
    )
    linkmode: str = _flag(Kind.MODE, "set link `mode`", check=_link_mode)
    linkshared: bool = _flag(Kind.BOOL, "link against installed Go shared libraries")
    macos: str = _flag(
        Kind.VALUE,
        "mac OS version to write in build info (only used in internal linking)",
        "13.0.0",
        check=_mac_version,
    )
    macsdk: str = _flag(
        Kind.VALUE,
        "mac SDK version to write in build info (only used in internal linking)",
        "26.2.0",
        check=_mac_version,
    )
    memprofile: str = _flag(Kind.STRING, "write memory profile to `file`")
    memprofilerate: int = _flag(Kind.INT, "set runtime.MemProfileRate to `rate`")
    msan: bool = _flag(Kind.BOOL, "enable MSan interface")
    n: bool = _flag(Kind.BOOL, "no-op (deprecated)")
    o: str = _flag(Kind.STRING, "write output to `file`")
    pluginpath: str = _flag(Kind.STRING, "full path name for plugin")
    pruneweakmap: bool = _flag(Kind.BOOL, "prune weak mapinit refs", True)
    r: str | None = _flag(
        Kind.OPTIONAL, "set the ELF dynamic linker search `path` to dir1:dir2:..."
    )
    race: bool = _flag(Kind.BOOL, "enable race detector")
    randlayout: int = _flag(Kind.INT, "randomize function layout")
    s: bool = _flag(Kind.BOOL, "disable symbol table")
    strictdups: int = _flag(
        Kind.INT,
        "sanity check duplicate symbol contents during object file reading (1=warn 2=err).",
    )
    tmpdir: str = _flag(Kind.STRING, "use `directory` for temporary files")
    v: int = _flag(Kind.COUNT, "print link trace")
    w: bool = _flag(Kind.TERNARY, "disable DWARF generation")

    main: str = ""
    operands: tuple[str, ...] = ()
    environment: Environment = Environment("", "linux", "", "")
    settings: Settings = Settings()
    args: tuple[str, ...] = ()
    moved: Mapping[str, str] = MappingProxyType({})

    @property
    def error_limit(self) -> int | None:
        """How many collected errors are shown before there are too many (``LinkErrors.shown``):
        none with ``-h``, which halts at the first; None, no limit, with ``-e``."""
        if self.h:
            return 0
        return None if self.e else MAX_ERRORS

    @property
    def relocatable(self) -> bool:
        """Whether the output is not bound to an address (target.go, UseRelro)."""
        modes = ("pie", "c-archive", "c-shared", "shared", "plugin")
        return self.buildmode in modes or self.linkshared

    @property
    def modular(self) -> bool:
        """Whether the output is one of several modules of Go that make up a program."""
        return self.buildmode in ("plugin", "shared") or self.linkshared

    @property
    def fixed(self) -> bool:
        """Whether the code of an executable is bound to the address that it is linked for."""
        return self.buildmode == "exe" and not self.linkshared

    @property
    def roots(self) -> tuple[tuple[str, str], ...]:
        """What the link starts from: packages with their archives (main.go:347). Only a shared
        library may have several, or none; it names their paths, PATH=FILE."""
        if self.buildmode == "shared":
            pairs = (operand.partition("=") for operand in self.operands)
            return tuple((path, file) if found else ("main", path) for path, found, file in pairs)
        return ((self.pluginpath if self.buildmode == "plugin" else "main", self.main),)

    def build_note(self, digest: Callable[[bytes], bytes]) -> bytes:
        """The NT_GNU_BUILD_ID that ``-B`` asks for, empty for none. Raises OptionError.

        Rule: elf.go, addbuildinfo: "gobuildid" is the first 20 bytes of the ``digest`` (of the
        release) of ``-buildid``.
        """
        value = self.B
        if value in ("", "none"):
            return b""
        if value == "gobuildid":
            if not self.buildid:
                raise _conflict("-B gobuildid requires a Go build ID supplied via -buildid", "B")
            return digest(self.buildid.encode("utf-8", "surrogateescape"))[:20]
        if not value.startswith("0x"):
            raise _conflict(f"-B argument must start with 0x: {value}", "B")
        digits = value[2:]
        if len(digits) // 2 > 32:
            raise _conflict(f"-B option too long (max 32 digits): {value}", "B")
        for digit in digits:
            if digit not in "0123456789abcdefABCDEF":
                raise _conflict(f"-B argument contains invalid hex digit {digit}: {value}", "B")
        if len(digits) % 2:
            raise _conflict(f"-B argument must have even number of digits: {value}", "B")
        return bytes.fromhex(digits)


@record
class VersionAsked(Value):
    """``-V`` was met: answer and end. ``what`` is its value, "full" or "goexperiment"."""

    what: str
    environment: Environment
    settings: Settings


def _conflict(message: str, flag: str) -> OptionError:
    """What the oracle says by Exitf: the message alone."""
    return OptionError(message, flag=flag)


def _wrong(message: str, flag: str) -> OptionError:
    """What the oracle says by Errorf and usage: the message and the list of flags."""
    return OptionError(message, flag=flag, usage=True, label="")


_FIELDS = {field.name: field for field in attrs.fields(Options) if "kind" in field.metadata}

FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        "V": Flag("V", Kind.VERSION, "print version and exit"),
        **{
            name: Flag(
                name,
                field.metadata["kind"],
                field.metadata["usage"],
                field.default,
                field.metadata["check"],
            )
            for name, field in _FIELDS.items()
        },
    }
)
"""Every flag of every release, by name."""


_PROFILES = """\
Profiles are Python's: of time for pstats and its viewers (python -m pstats FILE), of memory
for tracemalloc.Snapshot.load; none is for go tool pprof, and -memprofilerate has no effect.
"""


def usage(known: Collection[str]) -> str:
    """The oracle's usage text, with the flags that are known (all, where these are none), then
    linkpipe's own flags."""
    flags = {name: flag for name, flag in FLAGS.items() if name in (known or FLAGS)}
    own = usage_text("linkpipe's own:", OWN_FLAGS)
    return usage_text("usage: link [options] main.o", flags) + own + _PROFILES


def read_options(
    args: Sequence[str],
    environment: Environment,
    variables: Mapping[str, str] = _NONE,
    can_build: Callable[[str], bool] = lambda _: True,
    release_of: Callable[[str, str], Release] | None = None,
) -> Options | VersionAsked:
    """Parse and check a command line (without the command). ``variables`` is the environment that
    may hold linkpipe's own settings; ``can_build`` says of a build mode that is not the default
    whether the target has it; ``release_of``, given a toolchain's version and the name that is
    asked for (or ""), which release's flags there are. Without it there are all.

    Raises OptionError with the oracle's words; UserError for an unreadable ``@file``.
    """
    own = from_environment(variables)
    asked = own.get("release", "")
    if release_of is None:
        words, known = expand_args(args), frozenset(FLAGS)
        environment = _compiled(environment, words)
    else:
        version = environment.version
        words = expand_args(args, lambda: release_of(version, asked).response_lines)
        environment = _compiled(environment, words)
        known = release_of(environment.version, _asked(words) or asked).flags
    try:
        return _read(args, words, known, environment, own, can_build)
    except OptionError as e:
        e.known = known
        raise


def _compiled(environment: Environment, words: Sequence[str]) -> Environment:
    """The environment of a link by hand has the version of what is linked, which ends the command
    line: not that of a `go` which happens to be around."""
    version = compiled_with(words[-1]) if environment.by_hand and words else ""
    return evolve(environment, version=version) if version else environment


def _asked(words: Sequence[str]) -> str:
    """The release that flags name, wherever they do; "" for none."""
    return (_given("release", words) or ("",))[-1]


def _given(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """What one of linkpipe's own flags is given among others, before these are read in earnest,
    which tells what is wrong with them."""
    values = []
    with suppress(OptionError):
        for flag, value in parse({**OWN_FLAGS, **FLAGS}, words, []):
            if flag is OWN_FLAGS[name]:
                values.append(value)
    return tuple(values)


def disabled(args: Sequence[str], variables: Mapping[str, str]) -> tuple[str, ...]:
    """The distributions that are to be taken for not installed: asked before anything of what is
    installed is loaded."""
    said = from_environment(variables).get("disable_plugin", ())
    return (*said, *_given("disable-plugin", args))


def _read(
    args: Sequence[str],
    words: Sequence[str],
    offered: Collection[str],
    environment: Environment,
    own: dict[str, Any],
    can_build: Callable[[str], bool],
) -> Options | VersionAsked:
    """Read the ``words`` that the arguments stand for; there are the flags ``offered``."""
    values: dict[str, Any] = {}
    rest: list[str] = []

    def check_mode(mode: str) -> None:
        _build_mode(mode)
        if mode != "exe" and not can_build(mode):
            target = f"{environment.goos}/{environment.goarch}"
            raise ValueError(f"buildmode {mode} not supported on {target}")

    known = {**OWN_FLAGS, **{name: flag for name, flag in FLAGS.items() if name in offered}}
    known["buildmode"] = evolve(FLAGS["buildmode"], check=check_mode)
    for flag, value in parse(known, words, rest):
        name, into = flag.name, values
        if flag.kind is Kind.VERSION:
            return VersionAsked(value, environment, Settings(**own))
        if flag is OWN_FLAGS.get(name):
            name, into = FIELD_OF[name], own
        elif name == "X":
            value = _definition(value, values)
        if flag.kind is Kind.LIST:
            value = (*into.get(name, ()), value)
        elif flag.kind is Kind.COUNT and value == 1:
            value = into.get(name, 0) + 1
        into[name] = value
    _check(values, rest)
    values["settings"] = Settings(**own)
    values["args"] = tuple(args)
    return _complete(values, rest, environment)


_LARGEST_ALIGN = 1 << 30
"""Bytes; two functions as far apart as that cannot call each other."""
_HIGHEST = 1 << 62
"""Addresses beyond are refused: what follows may not have room below 2**63."""


def _definition(text: str, values: Mapping[str, Any]) -> str:
    """Check one ``-X``; in a plugin, package main is known by the plugin's path. As in the oracle
    (data.go, addstrdata1) that counts only for what follows -buildmode and -pluginpath."""
    equals = text.find("=")
    dot = text.rfind(".", 0, equals + 1)
    if equals < 0 or dot < 0:
        raise _conflict("-X flag requires argument of the form importpath.name=value", "X")
    if text[:dot] == "main" and values.get("buildmode") == "plugin":
        return values.get("pluginpath", "") + text[dot:]
    return text


def _check(values: Mapping[str, Any], rest: Sequence[str]) -> None:
    """The oracle's own checks first, in its order; then what is not supported."""
    head = values.get("H", "")
    if head and head not in HEAD_TYPES:
        raise OptionError(f"invalid headtype: {quote(head)}", flag="H", usage=True, label="")
    mode = values.get("buildmode", "exe")
    if not values.get("aslr", True) and mode != "c-shared":
        raise _wrong("-aslr=false is only allowed for -buildmode=c-shared", "aslr")
    quantum = values.get("R", -1)
    if quantum != -1 and (quantum < 4096 or quantum & (quantum - 1)):
        raise _conflict(f"invalid -R value 0x{quantum:x}", "R")
    align = values.get("funcalign", 0)
    if align != 0 and (align < 0 or align & (align - 1) or align > _LARGEST_ALIGN):
        raise _conflict(f"invalid -funcalign value {align}", "funcalign")
    if mode != "shared" and len(rest) != 1:
        raise _wrong("", "")
    bench = values.get("benchmark", "")
    if bench not in ("", "mem", "cpu"):
        raise _wrong(f"unknown benchmark flag: {quote(bench)}", "benchmark")
    if bench and values.get("benchmarkprofile") and values.get("cpuprofile"):
        raise _refused(
            "flags -cpuprofile and -benchmarkprofile: there is one at a time", "cpuprofile"
        )
    for name, value in values.items():
        why = _FIELDS[name].metadata["refuse"]
        if why and value != _FIELDS[name].default:
            raise _refused(f"flag -{name} {why}", name)
    strict = values.get("strictdups", 0)
    if strict not in (0, 1, 2):
        raise OptionError(f"invalid -strictdups flag value {strict}", flag="strictdups", status=1)
    if head not in ("", "linux", "android"):  # the two are one (objabi/head.go)
        raise _refused(f"flag -H {head} {_LATER}: linkpipe writes ELF for Linux", "H")
    for name in ("T", "D", "R"):
        if values.get(name, -1) > _HIGHEST or values.get(name, -1) < -1:
            raise _refused(f"flag -{name}: no program has room at 0x{values[name]:x}", name)
    data = values.get("D", -1)
    if data != -1 and quantum != -1 and data % quantum:
        raise misaligned_data(data, quantum)


def misaligned_data(data: int, quantum: int) -> OptionError:
    """The error for a ``-D`` that is no multiple of ``-R`` (whose default is the architecture's,
    so the pass that knows it asks again)."""
    return _conflict(
        f"invalid -D value 0x{data:x}: not aligned to rounding quantum 0x{quantum:x}", "D"
    )


def _refused(message: str, flag: str) -> LinkpipeError:
    return OptionError(
        message, flag=flag, label="linkpipe", remedy="leave the flag out, or use `go tool link`"
    )


def _complete(values: dict[str, Any], operands: Sequence[str], environment: Environment) -> Options:
    """Fill in the defaults that depend on other flags."""
    mode = values.setdefault("buildmode", "exe")
    values["o"] = values.get("o") or "a.out"
    if not values.get("B") and values.get("buildid"):
        values["B"] = "gobuildid"
    if not values.get("E") and mode in _ENTRIES:
        values["E"] = f"_rt0_{environment.goarch}_{environment.goos}{_ENTRIES[mode]}"
    if values.get("w") is None:
        values["w"] = values.get("s", False)  # -s implies -w unless -w=false is given
    main = operands[0] if operands else ""
    options = Options(**values, main=main, operands=tuple(operands), environment=environment)
    options.build_note(bytes)  # a wrong -B is an error before any input is opened
    return options
