"""A link in one file: its inputs, flags, variables and plan, which give the same link anywhere.

The file is a ZIP archive: ``manifest.json`` (schema linkpipe.saved/1), ``importcfg``, the archives
of packages as ``files/N.a``, the first of which is the main package's if there is one, shared
libraries of Go as ``files/N/libX.so``, those of one folder in one, and the pipeline where it is not
the default one.
Flags that say where something is written or searched are left out, and so are all variables but
those that a link reads.

Who opens such a file need not trust who made it: it is unpacked under names of our own, not beyond
what the manifest says and LARGEST; it has no flags but those in FLAGS; and no program is run that
it names, unless LINKPIPE_RUN_COMPILER says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from linkpipe import __version__
from linkpipe.engine.context import Link
from linkpipe.engine.flagedits import edits, pipeline_of
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.engine.savedlibs import LIBRARY, Libraries, moved
from linkpipe.errors import InputError, UserError
from linkpipe.flags.environ import Environment
from linkpipe.flags.goflag import Kind
from linkpipe.flags.options import FLAGS as ALL_FLAGS
from linkpipe.flags.options import NOT_RUN, Options, VersionAsked, read_options
from linkpipe.packages.places import Places
from linkpipe.values import Value, evolve, record

SCHEMA = "linkpipe.saved/1"
LARGEST = 8 << 30
"""Bytes that a saved link may have when it is unpacked."""
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 16 << 20
_ARCHIVE = r"files/[0-9]{1,6}\.a"
_NAME = re.compile(rf"manifest\.json|importcfg|pipeline\.toml|{_ARCHIVE}|{LIBRARY}")
_NAMED_BY = {"packagefile": _ARCHIVE, "packageshlib": LIBRARY}
_OPERAND = re.compile(rf"(?:[^-@=][^=]*=)?({_ARCHIVE})")
_COMPILER = "LINKPIPE_RUN_COMPILER"

_BAD = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error)
"""What is raised for an archive that is none."""

FLAGS = frozenset(
    "B D E H I R T X a aslr bindnow buildid buildmode checklinkname compressdwarf d debugtramp "
    "e extld extldflags f funcalign g installsuffix k libgcc linkmode linkshared n pluginpath "
    "pruneweakmap r race randlayout s strictdups w".split()
)
"""The flags that are saved: those that decide what is in the output."""
VARIABLES = ("GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GO_EXTLINK_ENABLED")
"""The variables that a link reads, with that of its architecture."""


@record
class File(Value):
    """A file of a saved link: its name there, bytes, SHA-256 in hexadecimal, and where it was, ""
    where that is not told."""

    name: str
    size: int
    sha256: str
    path: str = ""


@record
class Saved(Value):
    """What a saved link holds.

    Attributes:
        linkpipe: the version of linkpipe that saved it.
        go: the version of Go, "go1.27.3".
        args: the flags of the link; inputs are not among them.
        variables: what the link reads of its environment.
        plan: the passes that ran, in order.
        external: whether a host linker finishes the link.
        compiler: the command that does, and ``compiler_version`` what it says of itself; empty
            where none does.
        files: all else.
        operands: the packages of a shared library of Go, each with its file here, PATH=FILE; none
            for all else.
    """

    linkpipe: str
    go: str
    args: tuple[str, ...]
    variables: Mapping[str, str]
    plan: tuple[str, ...]
    external: bool
    compiler: tuple[str, ...]
    compiler_version: str
    files: tuple[File, ...]
    operands: tuple[str, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether it is of a shared library of Go, which may have several packages, or none."""
        return "-buildmode=shared" in self.args


def is_saved(path: str) -> bool:
    """Whether a target is a saved link: a ZIP archive, which no package is."""
    if not os.path.isfile(path):  # a FIFO would be waited for
        return False
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\3\4"
    except OSError:
        return False


def save(link: Link, file: str, *, strip_paths: bool = False, again: Saved | None = None) -> Saved:
    """Write the link that ``link`` has begun (up to its ``mode``, unless it has failed before that)
    into ``file``, which takes its place when it is whole. With ``strip_paths`` it is not told where
    files were; ``again`` is what the link was read from, if it was saved before.

    Raises UserError for a pipeline that extends another file, OSError.
    """
    options, environment = link.options, link.options.environment
    places = Places.of(options)
    loaded = link.packages.items if "packages" in link.facts else ()
    external = "mode" in link.facts and link.mode.external
    roots = [file for _, file in options.roots]
    used = {each.path: each.file for each in loaded if each.file and each.file not in roots}
    there = {path: name for path, name in places.files.items() if os.path.exists(name)}
    inputs = {**{path: there[path] for path in there if path not in places.shlibs}, **used}
    names: dict[str, str] = {}
    for path in (*roots, *inputs.values()):
        names.setdefault(path, f"files/{len(names)}.a")
    lines = [f"packagefile {path}={names[file]}" for path, file in inputs.items()]
    libraries = Libraries.of(link, places)
    lines += [f"packageshlib {path}={name}" for path, name in libraries.of_package.items()]
    origins = [(path, name, path) for path, name in names.items()]
    for path, name in libraries.names.items():
        origins += [(path, name, libraries.was[path])] if os.path.exists(path) else []
    if places.modinfo is not None:
        lines.append(f"modinfo {_quoted(places.modinfo)}")
    texts = {"importcfg": "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")}
    if pipeline := pipeline_text(options):
        texts["pipeline.toml"] = pipeline
    told = {**environment.variables, "GOOS": environment.goos, "GOARCH": environment.goarch}
    wanted = (*VARIABLES, *([link.arch.setting.variable] if link.arch.setting else []))
    compiler = tuple(options.extld or ("gcc",)) if external and not again else ()
    whole = f"{file}.part"
    try:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            files = []
            for path, name, was in origins:
                data = Path(path).read_bytes()
                files.append(_add(archive, name, data, "" if strip_paths else was))
            files += [_add(archive, name, data, "") for name, data in texts.items()]
            saved = Saved(
                linkpipe=__version__,
                go=environment.version,
                args=tuple(_arguments(_as_here(link))),
                variables={name: told[name] for name in wanted if told.get(name)},
                plan=_plan(link),
                external=external,
                compiler=(os.path.basename(compiler[0]), *compiler[1:]) if compiler else (),
                compiler_version=_version(compiler),
                files=tuple(files),
                operands=_operands(options, names),
            )
            if again:
                saved = evolve(
                    saved,
                    args=again.args,
                    compiler=again.compiler,
                    compiler_version=again.compiler_version,
                )
            text = json.dumps({"schema": SCHEMA, **attrs.asdict(saved)}, indent=1)
            archive.writestr(_entry(_MANIFEST), text)
        os.replace(whole, file)
    finally:
        Path(whole).unlink(missing_ok=True)
    return saved


def _operands(options: Options, names: Mapping[str, str]) -> tuple[str, ...]:
    """The operands of a link of several packages, with the names that their files have here."""
    if options.buildmode != "shared":
        return ()
    return tuple(
        f"{path}={names[file]}" if "=" in given else names[file]
        for given, (path, file) in zip(options.operands, options.roots, strict=True)
    )


def _plan(link: Link) -> tuple[str, ...]:
    """The passes of a link, in order; all that its flags allow before it knows its ``mode``."""
    options = link.options
    catalog = Catalog(without=options.settings.disable_plugin)
    pipeline = pipeline_of(options.settings, catalog)
    plan = make_plan(pipeline, catalog, options, link.release)
    return tuple(
        each.name
        for each in plan.passes
        if "mode" not in link.facts
        or all(getattr(link.mode, field) in values for field, values in each.when.items())
    )


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry that says nothing of when and by whom it was made."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _add(archive: zipfile.ZipFile, name: str, data: bytes, path: str) -> File:
    archive.writestr(_entry(name), data, compresslevel=1)
    return File(name, len(data), hashlib.sha256(data).hexdigest(), path)


def _as_here(link: Link) -> Options:
    """The options of a link, with the dynamic linker that this machine decides for."""
    linkage, options = link.arch.linkage, link.options
    if (
        "mode" not in link.facts
        or not link.mode.dynamic
        or linkage is None
        or options.I
        or link.cgo.interpreter
    ):
        return options
    return evolve(options, I=linkage.interpreter())


def _arguments(options: Options) -> Iterator[str]:
    """The flags of a link, each as one argument."""
    for name, flag in ALL_FLAGS.items():
        value: Any = getattr(options, name, None)
        if name not in FLAGS or value == flag.default:
            continue
        if flag.kind is Kind.LIST:
            yield from (f"-{name}={each}" for each in value)
        elif flag.kind is Kind.QUOTED:
            yield f"-{name}={' '.join(map(_in_quotes, value))}"
        else:
            yield f"-{name}={str(value).lower() if isinstance(value, bool) else value}"


def _in_quotes(word: str) -> str:
    if word and not re.search(r"[\s'\"]", word):
        return word
    return f'"{word}"' if "'" in word else f"'{word}'"


def _quoted(data: bytes) -> str:
    """A string as Go writes it."""
    plain = (chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02x}" for b in data)
    return f'"{"".join(plain)}"'


def pipeline_text(options: Options) -> bytes:
    """The pipeline of a link, as one file; empty for the default one."""
    import tomllib

    path = options.settings.pipeline
    told = edits(options.settings, Catalog(without=options.settings.disable_plugin))
    if not path:
        return told.encode()
    data = Path(path).read_bytes()
    base = tomllib.loads(data.decode()).get("extends", "default")
    if base != "default" or told:
        raise UserError(
            f"{path} extends {base}: only one file of a pipeline can be saved"
            if not told
            else f"{path} and what flags change in it: only one file of a pipeline can be saved",
            status=2,
            label="linkpipe",
            remedy='write what both say into one that has extends = "default"',
        )
    return data


def _version(compiler: Sequence[str]) -> str:
    """The first line that a compiler says of itself."""
    if not compiler:
        return ""
    try:
        done = subprocess.run(
            [*compiler, "--version"], capture_output=True, timeout=30, text=True, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.partition("\n")[0]


def read(path: str) -> Saved:
    """What a saved link says that it holds; nothing is unpacked. Raises InputError when it is
    none, OSError when it cannot be read."""
    with _opened(path) as archive:
        return _manifest(path, archive)


def options_of(path: str, folder: str, variables: Mapping[str, str]) -> tuple[Options, Saved]:
    """Unpack a saved link into an empty folder; the options of the link. ``variables`` may hold
    LINKPIPE_RUN_COMPILER and settings of who watches.

    Raises InputError when it is damaged, or says what no saved link says; OSError.
    """
    with _opened(path) as archive:
        saved = _manifest(path, archive)
        for file in saved.files:
            _unpack(path, archive, file, os.path.join(folder, file.name))
    environment = Environment(
        goroot=saved.variables.get("GOROOT", ""),
        goos=saved.variables.get("GOOS", "linux"),
        goarch=saved.variables.get("GOARCH", ""),
        version=saved.go,
        variables=MappingProxyType(dict(saved.variables)),
    )
    config = Path(folder, "importcfg")
    text = config.read_bytes().decode("utf-8", "surrogateescape")
    config.write_bytes(_with_folder(path, text, folder).encode("utf-8", "surrogateescape"))
    args = [*saved.args, "-importcfg", str(config)]
    if variables.get(_COMPILER, "0") in ("", "0", "false"):
        args.append(f"-extld={NOT_RUN}")
    if any(file.name == "pipeline.toml" for file in saved.files):
        args.append(f"-pipeline={folder}/pipeline.toml")
    places = moved({file.name: file.path for file in saved.files}, folder)
    args += [f"-L={place}" for place in places]
    operands = saved.operands if saved.shared else ("files/0.a",)
    for package, found, name in (each.rpartition("=") for each in operands):
        args.append(f"{package}{found}{os.path.join(folder, name)}")
    catalog = Catalog()
    options = read_options(
        args,
        environment,
        variables,
        release_of=lambda version, asked: release_of(catalog, version, asked),
    )
    if isinstance(options, VersionAsked):
        raise _damaged(path, "asks for a version and links nothing")
    return evolve(options, moved=MappingProxyType(places)), saved


def check_compiler(saved: Saved, variables: Mapping[str, str]) -> None:
    """Refuse to finish a link by a program that a file names, unless that is asked for."""
    if saved.external and variables.get(_COMPILER, "0") in ("", "0", "false"):
        raise UserError(
            f"a C compiler finishes this link ({' '.join(saved.compiler)}), with flags of the file",
            status=2,
            label="linkpipe",
            remedy=f"set {_COMPILER}=1 if you trust who made the file",
        )


def _with_folder(path: str, text: str, folder: str) -> str:
    """The importcfg with the places that files are unpacked to; it names no others."""
    lines = []
    for line in text.splitlines():
        verb, _, rest = line.partition(" ")
        package, _, name = rest.rpartition("=")
        if verb in _NAMED_BY:
            if not re.fullmatch(_NAMED_BY[verb], name):
                raise _damaged(path, f"its importcfg names the file {name!r}")
            line = f"{verb} {package}={os.path.join(folder, name)}"
        elif verb != "modinfo":
            raise _damaged(path, f"its importcfg says {verb!r}")
        lines.append(f"{line}\n")
    return "".join(lines)


def _opened(path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _BAD as e:
        raise _damaged(path, f"no saved link: {e}") from e


def _damaged(path: str, message: str) -> InputError:
    return InputError(
        f"{path}: {message}",
        file=path,
        label="linkpipe",
        remedy="save the link again with `linkpipe save`",
    )


def _content(path: str, archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """A file of the archive, of which no more is unpacked than it should have."""
    try:
        with archive.open(name) as file:
            data = file.read(size + 1)
    except (
        KeyError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
    ) as e:
        raise _damaged(path, f"{name}: {e}") from e
    except Exception as e:  # whatever a decompressor says of damaged data (zlib.error)
        if type(e).__module__ not in ("zlib", "lzma", "_lzma"):
            raise
        raise _damaged(path, f"{name}: {e}") from e
    if len(data) > size:
        raise _damaged(path, f"{name} has more than {size} bytes")
    return data


def _unpack(path: str, archive: zipfile.ZipFile, file: File, to: str) -> None:
    data = _content(path, archive, file.name, file.size)
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
        raise _damaged(path, f"{file.name} is not what was saved")
    os.makedirs(os.path.dirname(to), exist_ok=True)
    Path(to).write_bytes(data)


def _manifest(path: str, archive: zipfile.ZipFile) -> Saved:
    text = _content(path, archive, _MANIFEST, _LARGEST_MANIFEST)
    try:
        told = json.loads(text)
        if not isinstance(told, dict) or told.pop("schema", None) != SCHEMA:
            raise _damaged(path, f"no saved link of the form {SCHEMA}")
        saved = _saved(told)
    except (ValueError, TypeError, RecursionError) as e:
        raise _damaged(path, f"{_MANIFEST}: {e}") from e
    names = [file.name for file in saved.files]
    odd = [name for name in names if not _NAME.fullmatch(name) or name == _MANIFEST]
    if odd:
        raise _damaged(path, f"holds a file {odd[0]!r}")
    needed = {"importcfg", *(() if saved.shared else ("files/0.a",))}
    if len(set(names)) != len(names) or not needed <= set(names):
        raise _damaged(path, "a file is named twice, or one that is needed is not there")
    for operand in saved.operands:
        match = _OPERAND.fullmatch(operand)
        if not match or match[1] not in names:
            raise _damaged(path, f"links {operand!r}")
    if any(file.size < 0 for file in saved.files) or sum(f.size for f in saved.files) > LARGEST:
        raise _damaged(path, f"more than {LARGEST} bytes in files")
    known = {*VARIABLES}
    for name in saved.variables:
        if name not in known and not re.fullmatch(r"GO[A-Z0-9]{1,12}", name):
            raise _damaged(path, f"holds the variable {name!r}")
    for arg in saved.args:
        flag, found, _ = arg.partition("=")
        if not found or flag[:1] != "-" or flag[1:] not in FLAGS:
            raise _damaged(path, f"holds the flag {flag!r}")
    return saved


def _saved(told: dict[str, Any]) -> Saved:
    """The manifest as a value; ValueError or TypeError for what has another form."""
    files = tuple(File(**file) for file in told.pop("files"))
    saved = Saved(**told, files=files)
    texts = [saved.linkpipe, saved.go, saved.compiler_version, *saved.args, *saved.plan]
    texts += saved.operands
    texts += [*saved.compiler, *saved.variables, *saved.variables.values()]
    texts += [part for file in files for part in (file.name, file.sha256, file.path)]
    plain: list[Any] = texts
    if any(not isinstance(text, str) or "\0" in text for text in plain):
        raise ValueError("a text is none")
    numbers: list[Any] = [file.size for file in files]
    if any(type(number) is not int for number in numbers) or saved.external not in (False, True):
        raise ValueError("a number is none")
    return evolve(
        saved,
        args=tuple(saved.args),
        plan=tuple(saved.plan),
        compiler=tuple(saved.compiler),
        operands=tuple(saved.operands),
    )
