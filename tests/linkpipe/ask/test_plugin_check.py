"""What would make plugin.Open fail: what is said is what happens, and there is no false alarm."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
import pytest

from linkpipe.ask.plugin_check import Checked, plugin_check
from linkpipe.compare import moduledata
from linkpipe.compare.dynamic import Dynamic
from linkpipe.compare.typedata import TypeReader
from linkpipe.errors import InputError
from linkpipe.formats import elfread
from tests.conformance.releases import VERSIONS, install
from tests.conformance.targets import TABLE, Target
from tests.conformance.toolchain import goroot
from tests.conformance.tools import need
from tests.linkpipe.ask.pairs import Builder, module, opened, published, shared

WORDS = "looking.test/plugins/words"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """A folder with a host and a plugin that fits it."""
    builder = Builder.here(tmp_path_factory.mktemp("plugins"))
    builder.host("host")
    builder.plugin("greet.so")
    return builder


@pytest.fixture
def host(built: Builder) -> str:
    return str(built.folder / "host")


@pytest.fixture
def greet(built: Builder) -> str:
    return str(built.folder / "greet.so")


def alone(host: str, plugin: str) -> Checked:
    """What is wrong with one plugin. It is told of the package that plugin.Open names."""
    found = plugin_check(host, [plugin])
    assert found.problems == found.unchecked == ()
    (checked,) = found.plugins
    said = opened(host, plugin)
    packages = {each.name for each in checked.problems if each.kind == "package"}
    _, named, package = said.partition("different version of package ")
    assert bool(packages) == bool(said)
    assert not named or package.strip() in packages
    return checked


def causes(checked: Checked) -> dict[str, list[str]]:
    """The likely causes of each package that differs."""
    assert {each.kind for each in checked.problems} <= {"package"}
    return {each.name: [cause.name for cause in each.causes] for each in checked.problems}


def test_a_pair_that_works(built: Builder, host: str, greet: str) -> None:
    assert alone(host, greet) == Checked(greet, "looking.test/plugins/greet", ())
    stripped = built.plugin("stripped.so", "-ldflags=-s -w")
    assert alone(host, stripped) == Checked(stripped, "looking.test/plugins/greet", ())
    assert plugin_check(host, [greet, greet]).fits, "plugin.Open opens a file once"


@pytest.mark.parametrize(
    ("flags", "cause"),
    [(("-tags=extra",), "-tags"), (("-cover",), "-cover")],
)
def test_a_setting(built: Builder, host: str, flags: tuple[str, ...], cause: str) -> None:
    plugin = built.plugin(f"{cause[1:]}.so", *flags)
    assert causes(alone(host, plugin)) == {WORDS: [cause]}


def test_trimpath(built: Builder, host: str) -> None:
    """Every package has file names in it."""
    found = causes(alone(host, built.plugin("trimmed.so", "-trimpath")))
    assert {WORDS, "runtime", "internal/abi"} <= set(found)
    assert {tuple(each) for each in found.values()} == {("-trimpath",)}


def test_an_experiment(built: Builder, host: str) -> None:
    """Its name is in the version of Go, too, which is the same all the same. Here packages differ
    only where the experiment is a constant."""
    found = causes(alone(host, built.plugin("experiment.so", GOEXPERIMENT="nojsonv2")))
    assert "internal/goexperiment" in found
    assert {tuple(each) for each in found.values()} == {("GOEXPERIMENT",)}


def test_the_race_detector(built: Builder, host: str) -> None:
    """Only packages that say other things of themselves with it differ."""
    plugin = built.plugin("race.so", "-race")
    found = causes(alone(host, plugin))
    assert {"runtime", "sync/atomic"} <= set(found)
    assert {tuple(each) for each in found.values()} == {("-race",)}
    assert alone(built.host("host.race", "-race"), plugin).problems == ()


@pytest.mark.parametrize("release", VERSIONS)
def test_another_release(tmp_path: Path, host: str, release: str) -> None:
    builder = Builder.here(tmp_path)
    (tmp_path / "go.mod").write_text(f"module looking.test\n\ngo {release}\n")
    plugin = attrs.evolve(builder, root=install(release)).plugin(f"go{release}.so")
    found = causes(alone(host, plugin))
    assert {WORDS, "runtime"} <= set(found)
    assert {each[0] for each in found.values()} == {"go version"}
    assert plugin_check(host, [plugin]).plugins[0].plugin_path == "looking.test/plugins/greet"


def test_a_newer_processor(built: Builder, host: str, greet: str) -> None:
    """plugin.Open takes it, and it crashes where only the host can run; not the other way round."""
    newer = built.plugin("v2.so", GOAMD64="v2")
    (problem,) = plugin_check(host, [newer]).plugins[0].problems
    assert (problem.kind, problem.name) == ("processor", "GOAMD64")
    (cause,) = problem.causes
    assert (cause.first, cause.second) == ("v1", "v2")
    assert plugin_check(built.host("host.v2", GOAMD64="v2"), [greet]).fits


def test_a_local_edit(built: Builder, host: str) -> None:
    file = built.folder / "plugins" / "words" / "words.go"
    before = file.read_text()
    file.write_text(before + "\nfunc Another() {}\n")
    try:
        plugin = built.plugin("edited.so")
    finally:
        file.write_text(before)
    found = alone(host, plugin)
    assert causes(found) == {WORDS: ["source"]}
    assert "looking.test (devel)" in found.problems[0].causes[0].text


def test_another_folder(built: Builder, host: str, tmp_path: Path) -> None:
    plugin = Builder.here(tmp_path).plugin("elsewhere.so")
    found = alone(host, plugin)
    assert causes(found) == {WORDS: ["path"]}
    (cause,) = found.problems[0].causes
    assert cause.first == f"{built.folder}/plugins/words"
    assert cause.second == f"{tmp_path}/plugins/words"


def test_versions_of_a_module(tmp_path: Path) -> None:
    """The version that is wanted, and what stands in for it."""
    proxy = tmp_path / "proxy"
    published(proxy, "example.test/shared", "v1.0.0", shared())
    published(proxy, "example.test/shared", "v1.1.0", shared("\nfunc More() {}\n"))
    env = {
        "GOPROXY": f"file://{proxy}",
        "GONOSUMDB": "*",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOMODCACHE": str(tmp_path / "cache"),
    }
    program = tmp_path / "program"
    host = module(program, "v1.0.0").host("prog", package="./host", **env)
    same = module(program, "v1.0.0").plugin("same.so", package="./plugin", **env)
    assert alone(host, same).problems == ()
    newer = module(program, "v1.1.0").plugin("newer.so", package="./plugin", **env)
    found = alone(host, newer)
    assert causes(found) == {"example.test/shared": ["module"]}
    (cause,) = found.problems[0].causes
    assert (cause.first, cause.second) == (
        "example.test/shared v1.0.0",
        "example.test/shared v1.1.0",
    )
    copied = tmp_path / "copy"
    copied.mkdir()
    (copied / "go.mod").write_text("module example.test/shared\n")
    (copied / "shared.go").write_text(shared("\nvar Changed int\n")["shared.go"])
    replaced = module(program, "v1.0.0", str(copied)).plugin("r.so", package="./plugin", **env)
    found = alone(host, replaced)
    assert causes(found) == {"example.test/shared": ["replace"]}
    assert f"=> {copied}" in found.problems[0].causes[0].second


def test_two_plugins_of_one_path(host: str, greet: str, tmp_path: Path) -> None:
    copy = shutil.copy(greet, tmp_path / "copy.so")
    found = plugin_check(host, [greet, str(copy)])
    assert found.plugins[0].problems == ()
    (problem,) = found.plugins[1].problems
    assert (problem.kind, problem.name) == ("plugin-path", "looking.test/plugins/greet")
    assert problem.beside == greet
    assert "plugin already loaded" in opened(host, greet, str(copy))


def test_plugins_that_do_not_fit_each_other(tmp_path: Path) -> None:
    """A package that the host has not is that of the first plugin."""
    builder = Builder.here(tmp_path)
    host = builder.host("host")
    only = tmp_path / "plugins" / "only"
    only.mkdir()
    (only / "only.go").write_text("package only\n\nvar V = 1\n")
    file = tmp_path / "plugins" / "greet" / "main.go"
    text = file.read_text().replace("import ", 'import _ "looking.test/plugins/only"\nimport ')
    file.write_text(text)
    first = builder.plugin("first.so")
    (only / "only.go").write_text("package only\n\nvar W = 1\n")
    second = builder.plugin("second.so", "-ldflags=-pluginpath=other")
    found = plugin_check(host, [first, second])
    assert found.plugins[0].problems == ()
    (problem,) = found.plugins[1].problems
    assert (problem.kind, problem.name) == ("package", "looking.test/plugins/only")
    assert problem.beside == first
    assert f"in the plugin {first}" not in problem.causes[0].text


def test_a_library_and_a_symbol_that_are_not_there(tmp_path: Path) -> None:
    builder = Builder.here(tmp_path)
    host = builder.host("host")
    (tmp_path / "other.c").write_text("int elsewhere(void) { return 1; }\n")
    library = tmp_path / "libelsewhere.so"
    compile_ = ["gcc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "other.c")]
    subprocess.run(compile_, check=True)
    file = tmp_path / "plugins" / "greet" / "main.go"
    cgo = f'// #cgo LDFLAGS: -L{tmp_path} -lelsewhere\n// int elsewhere(void);\nimport "C"\n'
    text = file.read_text().replace("import ", f"{cgo}\nimport ", 1)
    file.write_text(text + "\nfunc Else() int { return int(C.elsewhere()) }\n")
    plugin = builder.plugin("c.so")
    kinds = [(each.kind, each.name) for each in plugin_check(host, [plugin]).plugins[0].problems]
    assert kinds == [("library", "libelsewhere.so")]
    assert "libelsewhere.so" in opened(host, plugin)
    plugin = builder.plugin("weak.so", "-ldflags=-extldflags=-Wl,-rpath,$ORIGIN")
    assert plugin_check(host, [plugin]).fits
    (tmp_path / "other.c").write_text("int nothing(void) { return 1; }\n")
    subprocess.run(compile_, check=True)
    (problem,) = plugin_check(host, [plugin]).plugins[0].problems
    assert (problem.kind, problem.name) == ("symbol", "elsewhere")


def test_a_library_that_is_too_old(tmp_path: Path) -> None:
    """A version of symbols that the library here does not have: as the dynamic linker says it."""
    builder = Builder.here(tmp_path)
    host = builder.host("host")
    (tmp_path / "other.c").write_text("int elsewhere(void) { return 1; }\n")
    library, script = tmp_path / "libelsewhere.so", tmp_path / "versions"

    def compiled(versions: str) -> None:
        script.write_text(versions)
        version = f"-Wl,--version-script={script}" if versions else "-Wl,-soname=libelsewhere.so"
        command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "other.c")]
        subprocess.run([*command, version], check=True)

    compiled("ELSE_1.9 { elsewhere; };\nELSE_1.10 { } ELSE_1.9;\nELSE_1.11 { } ELSE_1.10;\n")
    file = tmp_path / "plugins" / "greet" / "main.go"
    cgo = f'// #cgo LDFLAGS: -L{tmp_path} -lelsewhere\n// int elsewhere(void);\nimport "C"\n'
    text = file.read_text().replace("import ", f"{cgo}\nimport ", 1)
    file.write_text(text + "\nfunc Else() int { return int(C.elsewhere()) }\n")
    plugin = builder.plugin("c.so", "-ldflags=-extldflags=-Wl,-rpath,$ORIGIN")
    assert alone(host, plugin).problems == ()
    compiled("ELSE_1.8 { };\nELSE_1.10 { elsewhere; } ELSE_1.8;\n")
    (problem,) = plugin_check(host, [plugin]).plugins[0].problems
    assert (problem.kind, problem.name) == ("version", "ELSE_1.9")
    assert problem.causes[0].first == "ELSE_1.10"
    assert "libelsewhere.so" in problem.causes[0].text
    assert "wanted for elsewhere" in problem.causes[0].text
    assert "version `ELSE_1.9' not found" in opened(host, plugin)
    compiled("")
    (problem,) = plugin_check(host, [plugin]).plugins[0].problems
    assert (problem.kind, problem.name) == ("version", "ELSE_1.9")
    assert opened(host, plugin)


def test_a_c_library_that_is_too_old(built: Builder, host: str, greet: str) -> None:
    """As of a plugin that was built on a newer system."""
    content = Path(greet).read_bytes()
    (wanted, *_) = [each for each in Dynamic(elfread.read(greet)).wanted_versions if each.symbols]
    assert wanted.library.startswith("libc.")
    newer = wanted.name[:-1] + "~"
    file = built.folder / "newer.so"
    file.write_bytes(content.replace(wanted.name.encode() + b"\0", newer.encode() + b"\0"))
    (problem,) = plugin_check(host, [str(file)]).plugins[0].problems
    assert (problem.kind, problem.name) == ("version", newer)
    assert f"version `{newer}' not found" in opened(host, str(file))


def test_versions_in_two_lists(host: str, greet: str, tmp_path: Path) -> None:
    """A damaged file cannot make lists of lists, which would take for ever to read."""
    elf = elfread.read(greet)
    section = elf.index(".gnu.version_r")
    assert section is not None
    start = int(elf.sections["offset"][section])
    changed = bytearray(Path(greet).read_bytes())
    for at, aux in ((0, 32), (16, 16)):  # both have the one at 32
        changed[start + at : start + at + 16] = struct.pack("<HHIII", 1, 1, 0, aux, 16)
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(changed)
    with pytest.raises(InputError, match="damaged.so.*version_r has a record in two lists"):
        plugin_check(host, [str(damaged)])


def test_a_method_that_the_host_has_dropped(host: str, greet: str, tmp_path: Path) -> None:
    """As a linker does that does not know that there are plugins: -1 for its code."""
    elf = elfread.read(host)
    found = moduledata.find(elf)
    assert found
    types, dynamic = TypeReader.of(found), Dynamic(elf)
    (address,) = [
        each for each in dynamic.types.values() if types.type_name(each) == "words.Greeting"
    ]
    assert [types.name(name) for name, gone in types.methods(address) if not gone] == ["String"]
    sections = [
        (int(each["addr"]), int(each["offset"]))
        for each in elf.sections
        if each["addr"] <= address < each["addr"] + each["size"]
    ]
    (start, offset) = sections[0]
    table, _ = types.method_table(address)
    place = offset + table + 8 - start
    changed = bytearray(Path(host).read_bytes())
    changed[place : place + 8] = b"\xff" * 8
    pruned = tmp_path / "pruned"
    pruned.write_bytes(changed)
    (problem,) = plugin_check(str(pruned), [greet]).plugins[0].problems
    assert (problem.kind, problem.name) == ("method", "words.Greeting.String")


def test_programs_that_cannot_open_plugins(built: Builder, greet: str) -> None:
    static = built.host("static", package="./quiet", CGO_ENABLED="0")
    (problem,) = plugin_check(static, [greet]).problems
    assert problem.kind == "host"
    assert "CGO_ENABLED=0" in problem.causes[0].text
    (problem,) = plugin_check("/bin/sh", [greet]).problems
    assert "no Go program" in problem.causes[0].text


def test_what_is_no_plugin(host: str, built: Builder) -> None:
    (problem,) = plugin_check(host, [host]).plugins[0].problems
    assert (problem.kind, problem.name) == ("not-a-plugin", host)
    assert "-buildmode=exe" in problem.causes[0].text


@pytest.mark.parametrize("target", TABLE, ids=lambda target: target.goarch)
def test_other_machines(built: Builder, greet: str, target: Target) -> None:
    """Files of any architecture are read, big-endian ones and those of 32 bits among them."""
    need(target.missing_compiler())
    env, name = target.environment(cgo=True), target.goarch
    host = built.host(f"host.{name}", **env)
    plugin = built.plugin(f"greet.{name}.so", **env)
    tagged = built.plugin(f"tagged.{name}.so", "-tags=extra", **env)
    found = plugin_check(host, [plugin])
    assert found.fits
    assert found.plugins[0].plugin_path == "looking.test/plugins/greet"
    assert causes(plugin_check(host, [tagged]).plugins[0]) == {WORDS: ["-tags"]}
    (problem,) = plugin_check(host, [greet]).plugins[0].problems
    assert (problem.kind, problem.name) == ("machine", "amd64")
    assert f"{name} in the host" in problem.causes[0].text


MISMATCH = "src/cmd/cgo/internal/testplugin"


def test_gos_own_mismatch(tmp_path: Path) -> None:
    """Go's test builds one plugin in another folder, where what it shares is other."""
    source = goroot() / MISMATCH
    for name, parts in (("mod", ["testdata"]), ("alt", ["testdata", "altpath/testdata"])):
        for part in parts:
            shutil.copytree(source / part, tmp_path / name, dirs_exist_ok=True)
        (tmp_path / name / "go.mod").write_text("module testplugin\n")
    here, there = Builder(tmp_path / "mod"), Builder(tmp_path / "alt")
    host = here.host("prog", package="./host")
    plugin = here.plugin("plugin1.so", package="./plugin1")
    mismatch = there.plugin("mismatch.so", package="./plugin-mismatch")
    found = plugin_check(host, [plugin, mismatch])
    assert found.plugins[0].problems == ()
    assert causes(found.plugins[1]) == {"testplugin/common": ["path"]}


def places(file: str) -> Iterator[int]:
    """Bytes of a file that are looked at."""
    elf = elfread.read(file)
    found = moduledata.find(elf)
    assert found
    yield from range(64)
    yield from range(elf.header["shoff"], elf.header["shoff"] + elf.sections.nbytes)
    dynamic = (".dynsym", ".dynstr", ".dynamic", ".gnu.version", ".gnu.version_r", ".rela.dyn")
    for name in (*dynamic, ".go.buildinfo", ".go.module"):
        index = elf.index(name)
        assert index is not None
        start = int(elf.sections["offset"][index])
        yield from range(start, start + min(int(elf.sections["size"][index]), 4000))


def test_sections_where_no_program_has_any(greet: str, host: str, tmp_path: Path) -> None:
    elf = elfread.read(greet)
    sections = elf.sections.copy()
    sections["addr"] += np.uint64(1 << 63)
    changed = bytearray(Path(greet).read_bytes())
    start = elf.header["shoff"]
    changed[start : start + sections.nbytes] = sections.tobytes()
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(changed)
    (problem, *_) = plugin_check(host, [str(damaged)]).plugins[0].problems
    assert problem.kind == "not-a-plugin"


@pytest.mark.parametrize("seed", range(6))
def test_damaged_files_are_told_of(host: str, greet: str, tmp_path: Path, seed: int) -> None:
    """Cut off anywhere, or with other bytes: an answer, or an error that names the file."""
    rng = random.Random(seed)
    content, wanted = Path(greet).read_bytes(), list(places(greet))
    damaged = tmp_path / "damaged.so"
    for turn in range(8):
        changed = bytearray(content)
        for _ in range(rng.choice((1, 8, 60))):
            changed[rng.choice(wanted)] = rng.choice((0, 0xFF, 0x80, rng.randrange(256)))
        damaged.write_bytes(changed[: rng.randrange(len(changed))] if turn % 4 == 3 else changed)
        for pair in ((host, str(damaged)), (str(damaged), greet)):
            try:
                plugin_check(pair[0], pair[1:])
            except InputError as error:
                assert "damaged.so" in error.render()  # noqa: PT017 - there may be none
