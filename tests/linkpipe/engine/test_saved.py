"""A link in one file: the same link elsewhere, and nothing else from whoever made the file."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linkpipe import api
from linkpipe.engine import saved
from linkpipe.errors import InputError, LinkpipeError, OptionError, UserError
from linkpipe.formats.elf import CLASS64
from linkpipe.formats.sharedlib import find_library, read_library
from linkpipe.linkage import Linkage
from linkpipe.packages.places import Places, library_folders
from tests.conformance.programs import Program, table
from tests.conformance.programs import inputs as captured
from tests.conformance.toolchain import goroot
from tests.conformance.tools import need
from tests.linkpipe.ask.links import QUIET, WITH_PLUGIN
from tests.shlib_writer import MACHINE, write_library


def keep(program: Program, file: Path, *flags: str, **options: Any) -> api.Saved:
    given = captured(program)
    secret = {"GOPROXY": "https://user:password@proxy", "HOME": "/home/me", "LINKPIPE_LOG": "0"}
    variables = {**given.environment(), "GOROOT": str(goroot()), **secret}
    arguments = [*given.flags, *flags, str(given.main)]
    return api.save(arguments, str(file), variables=variables, **options)


def direct(program: Program, output: Path, *flags: str) -> bytes:
    given = captured(program)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    api.link([*given.flags, *flags, str(given.main)], output=str(output), variables=variables)
    return output.read_bytes()


@pytest.mark.parametrize("name", ["linkshared", "sharedlib"])
def test_links_of_shared_libraries_of_go(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, the folder in which the program looks for its library among them; also of
    what is saved again, though that link has the library in another folder."""
    program = table()[name]
    need(program.missing_compiler())
    # The name of a library is in it.
    outputs = [tmp_path / folder / "libown.so" for folder in ("wanted", "once", "twice")]
    for output in outputs:
        output.parent.mkdir()
    given = captured(program)
    variables = {**given.environment(), "GOROOT": str(goroot())}
    arguments = [*given.flags, *given.operands]
    api.link(arguments, output=str(outputs[0]), variables=variables)
    first = api.save(arguments, str(tmp_path / "first"), variables=variables)
    assert len(first.operands) == len(given.operands) * (name == "sharedlib")
    monkeypatch.setenv("LINKPIPE_RUN_COMPILER", "1")
    again = api.save(str(tmp_path / "first"), str(tmp_path / "second"))
    libraries = [file.path for file in first.files if file.name.endswith(".so")]
    assert len(libraries) == (name == "linkshared")
    assert libraries == [file.path for file in again.files if file.name.endswith(".so")]
    for file, output in zip(("first", "second"), outputs[1:], strict=True):
        api.link(str(tmp_path / file), output=str(output))
        assert output.read_bytes() == outputs[0].read_bytes()


def test_c_code_that_needs_the_compilers_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not in the file: refused, unless the compiler may be asked where it is."""
    program, file = table()["ownc"], tmp_path / "saved"
    need(program.missing_compiler())
    wanted = direct(program, tmp_path / "wanted")
    assert not keep(program, file).external
    with pytest.raises(UserError, match="needs a library of the C compiler's"):
        api.link(str(file), output=str(tmp_path / "again"))
    monkeypatch.setenv("LINKPIPE_RUN_COMPILER", "1")
    api.link(str(file), output=str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == wanted


def test_a_shared_library_of_no_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no main package, saved neither: the same bytes, or the same error. The oracle ends
    with a panic, as it finds no object of Go's."""
    program = table()["linkshared"]
    need(program.missing_compiler())
    monkeypatch.setenv("LINKPIPE_RUN_COMPILER", "1")
    given = captured(program)
    flags = [flag for flag in given.flags if not flag.startswith("-buildmode=")]
    variables = {**given.environment(), "GOROOT": str(goroot())}
    arguments, file = [*flags, "-buildmode=shared"], str(tmp_path / "saved")
    assert not api.save(arguments, file, variables=variables).operands
    outputs = [tmp_path / folder / "libown.so" for folder in ("one", "two")]
    for target, output in zip((arguments, file), outputs, strict=True):
        output.parent.mkdir()
        api.link(target, output=str(output), variables=variables)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    (tmp_path / "importcfg").write_text("")
    arguments = ["-buildmode=shared", f"-importcfg={tmp_path / 'importcfg'}"]
    api.save(arguments, file, variables=HERE)
    for target in (arguments, file):
        with pytest.raises(LinkpipeError, match="cannot link without package runtime"):
            api.link(target, output=str(outputs[0]), variables=HERE)


HERE = {"GOROOT": str(goroot()), "GOARCH": "amd64", "GOOS": "linux"}
"""As libraries are written in tests; a link that fails is saved, too."""


def with_libraries(folder: Path, *libraries: tuple[str, Path]) -> list[str]:
    """The arguments of a link in which these packages are in these libraries."""
    given = captured(table()["hello"])
    lines = [f"packageshlib {package}={file}" for package, file in libraries]
    (folder / "importcfg").write_text("\n".join([given.importcfg.read_text(), *lines, ""]))
    flags = [flag for flag in given.flags if flag not in ("-importcfg", str(given.importcfg))]
    return [*flags, "-linkshared", f"-importcfg={folder / 'importcfg'}", str(given.main)]


def test_libraries_that_libraries_need(tmp_path: Path) -> None:
    """Those of one folder stay together; one that is found by -L is found again."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    first = write_library(tmp_path / "here/libp.so", [], needs="libbeside.so\nlibfound.so")
    beside = write_library(tmp_path / "here/libbeside.so", [])
    found = write_library(tmp_path / "there/libfound.so", [])
    arguments = with_libraries(tmp_path, ("p", first), ("q", tmp_path / "none/libq.so"))
    file = tmp_path / "saved"
    told = api.save([f"-L={tmp_path / 'there'}", *arguments], str(file), variables=HERE)
    names = {each.path: each.name for each in told.files if each.name.endswith(".so")}
    assert set(names) == {str(first), str(beside), str(found)}
    folders = [Path(names[str(path)]).parent for path in (first, beside, found)]
    assert folders[0] == folders[1] != folders[2]
    options, _ = saved.options_of(str(file), str(tmp_path / "out"), {})
    shlibs = Places.of(options).shlibs
    assert read_library(shlibs["p"], (), CLASS64, MACHINE).needs[0] == str(
        Path(shlibs["p"]).with_name("libbeside.so")
    )
    assert find_library("libfound.so", library_folders(options)).startswith(str(tmp_path / "out"))
    assert not Path(shlibs["q"]).exists()
    assert sorted(options.moved.values()) == [f"{tmp_path}/here/", f"{tmp_path}/there/"]


def test_where_libraries_were_need_not_be_told(tmp_path: Path) -> None:
    """Then a program looks beside itself, and it is not told in what is saved of that either."""
    library = write_library(tmp_path / "libp.so", [])
    file, arguments = str(tmp_path / "saved"), with_libraries(tmp_path, ("p", library))
    for target in (arguments, file):
        told = api.save(target, f"{file}.new", strip_paths=target is arguments, variables=HERE)
        Path(f"{file}.new").replace(file)
        assert [each.path for each in told.files if each.name.endswith(".so")] == [""]
    options, _ = saved.options_of(file, str(tmp_path / "out"), {})
    assert list(options.moved.values()) == ["$ORIGIN/"]


def test_a_library_with_another_kind_of_name(tmp_path: Path) -> None:
    library = write_library(tmp_path / "p.so", [])
    with pytest.raises(UserError, match=r"p\.so: a library of this name cannot be saved"):
        api.save(with_libraries(tmp_path, ("p", library)), str(tmp_path / "saved"), variables=HERE)
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize("flags", [(), ("-s", "-X=main.a=b c", "-X=main.d='e'")])
def test_it_gives_the_same_bytes(
    tmp_path: Path, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no go command, and the environment is another."""
    wanted = direct(QUIET, tmp_path / "wanted", *flags)
    keep(QUIET, tmp_path / "saved", *flags)
    for name in ("GOROOT", "GOARCH", "GOOS", "GOAMD64"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PATH", "/nonexistent")
    api.link(str(tmp_path / "saved"), output=str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == wanted


@pytest.mark.parametrize("flags", [(), ("-I=/my/ld",)])
def test_the_dynamic_linker_is_that_of_the_machine_that_saved(
    tmp_path: Path, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there is another one."""
    program = table()["dynamic"]
    wanted = direct(program, tmp_path / "wanted", *flags)
    keep(program, tmp_path / "saved", *flags)
    monkeypatch.setattr(Linkage, "interpreter", lambda _: "/lib/another.so")
    api.link(str(tmp_path / "saved"), output=str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == wanted


def test_a_host_linker_gets_the_same_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once who asks has said that it may be run; until then the link is looked into without."""
    file = str(tmp_path / "saved")
    found = keep(WITH_PLUGIN, tmp_path / "saved")
    assert found.external
    assert found.compiler == ("gcc",)
    assert "gcc" in found.compiler_version.lower()
    assert "hostlink" in found.plan
    with pytest.raises(UserError, match="a C compiler finishes this link"):
        api.link(file, output=str(tmp_path / "out"))
    assert api.link(file, until="graph").mode.external
    monkeypatch.setenv("LINKPIPE_RUN_COMPILER", "1")
    monkeypatch.setenv("LINKPIPE_PROBE_CACHE", "off")
    wanted = direct(WITH_PLUGIN, tmp_path / "wanted")
    api.link(file, output=str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == wanted


def test_it_holds_what_a_link_reads_and_no_more(tmp_path: Path) -> None:
    found = keep(QUIET, tmp_path / "saved")
    assert found.variables.keys() <= {*saved.VARIABLES, "GOAMD64"}
    assert found == saved.read(str(tmp_path / "saved"))
    text = zipfile.ZipFile(tmp_path / "saved").read("manifest.json").decode()
    assert "password" not in text
    assert "/home/me" not in text
    assert {"files/0.a", "importcfg"} <= {each.name for each in found.files}
    assert all(arg.split("=")[0][1:] in saved.FLAGS for arg in found.args)


def test_it_need_not_say_where_files_were(tmp_path: Path) -> None:
    shown = keep(QUIET, tmp_path / "saved")
    assert str(captured(QUIET).main) in {each.path for each in shown.files}
    hidden = keep(QUIET, tmp_path / "stripped", strip_paths=True)
    assert {each.path for each in hidden.files} == {""}
    folder = str(captured(QUIET).main.parent)
    names = zipfile.ZipFile(tmp_path / "stripped").namelist()
    for name in ("manifest.json", "importcfg"):
        assert folder not in zipfile.ZipFile(tmp_path / "stripped").read(name).decode()
    assert len(set(names)) == len(names)


def test_a_saved_link_is_saved_again(tmp_path: Path) -> None:
    one = keep(QUIET, tmp_path / "one", strip_paths=True)
    other = api.save(str(tmp_path / "one"), str(tmp_path / "other"), strip_paths=True)
    assert other == one
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_pipeline_of_ones_own_is_saved(tmp_path: Path) -> None:
    pipeline = tmp_path / "mine.toml"
    pipeline.write_text('extends = "default"\n[[remove]]\nname = "stackcheck"\n')
    found = keep(QUIET, tmp_path / "saved", f"-pipeline={pipeline}")
    assert "stackcheck" not in found.plan
    pipeline.unlink()
    assert api.link(str(tmp_path / "saved"), until="graph").has("graph")
    pipeline.write_text(f'extends = "{tmp_path}/base.toml"\n')
    (tmp_path / "base.toml").write_text('extends = "default"\n')
    with pytest.raises(UserError, match="only one file of a pipeline can be saved"):
        keep(QUIET, tmp_path / "saved", f"-pipeline={pipeline}")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("saved") / "good"
    keep(QUIET, file)
    return file


def rewritten(good: Path, to: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """A saved link with another manifest."""
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(to, "w") as new:
        told = json.loads(old.read("manifest.json"))
        change(told)
        for name in old.namelist():
            data = old.read(name) if name != "manifest.json" else json.dumps(told).encode()
            new.writestr(name, data)
    return str(to)


def set_(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda told: told.__setitem__(key, value)


def first_file(**what: object) -> Callable[[dict[str, Any]], None]:
    return lambda told: told["files"][0].update(what)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_("schema", "linkpipe.saved/9"), "no saved link of the form"),
        (set_("args", ["-o=/etc/passwd"]), "holds the flag '-o'"),
        (set_("args", ["@/etc/passwd"]), "holds the flag '@/etc/passwd'"),
        (set_("args", ["-pipeline=/tmp/x"]), "holds the flag '-pipeline'"),
        (set_("args", [1]), "a text is none"),
        (set_("variables", {"LD_PRELOAD": "x"}), "holds the variable 'LD_PRELOAD'"),
        (set_("files", []), "is not there"),
        (set_("external", "yes"), "a number is none"),
        (set_("more", 1), "no field 'more'"),
        (set_("operands", ["p=/etc/passwd"]), "links 'p=/etc/passwd'"),
        (set_("operands", ["-extld=files/0.a"]), "links '-extld=files/0.a'"),
        (set_("operands", ["@x=files/0.a"]), "links '@x=files/0.a'"),
        (set_("operands", ["p=files/999.a"]), "links 'p=files/999.a'"),
        (set_("operands", [1]), "a text is none"),
        (first_file(name="../../evil"), "holds a file"),
        (first_file(name="/etc/passwd"), "holds a file"),
        (first_file(size=1 << 60), "more than"),
        (first_file(size=-1), "more than"),
        (first_file(size=10), "has more than 10 bytes"),
        (first_file(sha256="0" * 64), "is not what was saved"),
    ],
)
def test_what_no_saved_link_says_is_refused(
    good: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    file = rewritten(good, tmp_path / "bad", change)
    if message == "is not there":
        message = "that is needed is not there"
    with pytest.raises(InputError, match=message):
        api.link(file, until="graph")


def test_flags_are_those_of_its_release(good: Path, tmp_path: Path) -> None:
    def change(told: dict[str, Any]) -> None:
        told.update(go="go1.24.11", args=["-e=true"])

    with pytest.raises(OptionError, match="flag provided but not defined: -e"):
        api.link(rewritten(good, tmp_path / "old", change), until="graph")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("packagefile evil=/etc/passwd", "names the file '/etc/passwd'"),
        ("packagefile evil=files/../../x.a", "names the file"),
        ("packageshlib evil=files/1.a", "names the file"),
        ("packageshlib evil=/etc/libevil.so", "names the file '/etc/libevil.so'"),
        ("packagefile evil=files/0/libevil.so", "names the file"),
        ("packageshlib evil=files/0/../libevil.so", "names the file"),
        ("packagedir evil=files/1.a", "says 'packagedir'"),
    ],
)
def test_an_importcfg_names_what_was_saved(
    good: Path, tmp_path: Path, line: str, message: str
) -> None:
    import hashlib

    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad", "w") as new:
        told = json.loads(old.read("manifest.json"))
        config = old.read("importcfg") + f"{line}\n".encode()
        (entry,) = (each for each in told["files"] if each["name"] == "importcfg")
        entry.update(size=len(config), sha256=hashlib.sha256(config).hexdigest())
        for name in old.namelist():
            changed = {"importcfg": config, "manifest.json": json.dumps(told).encode()}
            new.writestr(name, changed.get(name) or old.read(name))
    with pytest.raises(InputError, match=message):
        api.link(str(tmp_path / "bad"), until="graph")


def test_damaged_files_are_refused(good: Path, tmp_path: Path) -> None:
    """Cut short, or with bytes changed: an error, or the link as it was."""
    data = good.read_bytes()
    refused = 0
    for seed in range(30):
        dice = random.Random(seed)
        changed = bytearray(data)
        for _ in range(dice.randint(1, 6)):
            # The directory at the end, headers, and what is compressed.
            start = dice.choice(
                (0, len(data) - 3000, 0, len(data) - 3000, dice.randrange(len(data)))
            )
            changed[min(start + dice.randrange(3000), len(data) - 1)] = dice.randrange(256)
        if seed % 6 == 0:
            del changed[dice.randrange(len(changed)) :]
        file = tmp_path / "damaged"
        file.write_bytes(changed)
        try:
            saved.options_of(str(file), str(tmp_path / f"out{seed}"), {})
        except (LinkpipeError, FileNotFoundError):
            refused += 1
        shutil.rmtree(tmp_path / f"out{seed}", ignore_errors=True)
    assert refused > 15
