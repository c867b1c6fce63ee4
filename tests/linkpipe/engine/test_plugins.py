from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import pytest

from linkpipe.engine.entrypoints import EntryPoint, required
from linkpipe.engine.hookspecs import Offer, hookimpl
from linkpipe.engine.plugins import Catalog, suggestion
from linkpipe.errors import UserError
from tests.linkpipe.synthetic import Plugin, catalog, setter


def entry(name: str, value: str, dist: str = "acme", group: str = "linkpipe.passes") -> EntryPoint:
    return EntryPoint(group, name, value, dist, "1.0", f"/{dist}-1.0.dist-info")


def test_entry_points_and_hooks_end_up_in_one_catalog() -> None:
    both = Catalog([entry("acme.a", "json:dumps")], {"p": Plugin({"b": setter("b")})})
    assert set(both.offers("passes")) == {"acme.a", "b"}
    assert both.offers("passes")["acme.a"][0].owner == "acme 1.0"
    import json

    assert both.load("passes", "acme.a") is json.dumps


def test_discovery_imports_nothing() -> None:
    """An installed plugin changes nothing, not even when it is broken."""
    broken = Catalog([entry("acme.a", "no_such_module:x")])
    assert set(broken.offers("passes")) == {"acme.a"}
    with pytest.raises(UserError, match=r"cannot load pass acme.a of acme 1.0: ModuleNotFound"):
        broken.load("passes", "acme.a")


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(UserError, match='unknown pass "relocat"') as caught:
        catalog(setter("relocate")).load("passes", "relocat")
    assert "did you mean relocate?" in caught.value.render()


def test_an_unknown_architecture_is_told_which_there_are() -> None:
    known = Catalog([entry("amd64", "a:ARCH", group="linkpipe.arches")])
    with pytest.raises(UserError, match='unknown architecture "arm64"') as caught:
        known.load("arches", "arm64")
    assert "there are: amd64" in caught.value.render()


@pytest.mark.parametrize("first", ["linkpipe", "other"])
def test_a_duplicate_names_both_owners(first: str) -> None:
    """And which to leave out: not linkpipe."""
    twice = Catalog([entry("x", "b:x", first), entry("x", "a:x")])
    with pytest.raises(UserError, match=f"offered twice, by {first} 1.0 and acme 1.0") as error:
        twice.load("passes", "x")
    left_out = "acme" if first == "linkpipe" else first
    assert f"leave it out: -disable-plugin {left_out}" in error.value.render()


def test_a_hook_that_does_not_exist_is_an_error() -> None:
    class Wrong:
        @hookimpl
        def linkpipe_stages(self) -> list[object]:
            return []

    with pytest.raises(UserError, match="linkpipe_stages"):
        Catalog((), {"wrong": Wrong()})


class Raises:
    @hookimpl
    def linkpipe_passes(self) -> list[Offer]:
        raise ZeroDivisionError("in the hook")


class Other:
    @hookimpl
    def linkpipe_passes(self) -> list[str]:
        return ["no offer"]


def test_a_broken_plugin_breaks_no_link_that_does_without_it() -> None:
    """It is told of where something is missing that it might have offered."""
    missing = entry("s", "no_such_module", group="linkpipe.plugins")
    found = Catalog([missing], {"p": Plugin({"b": setter("b")}), "r": Raises(), "o": Other()})
    assert found.load("passes", "b").name == "b"
    with pytest.raises(UserError, match='unknown pass "acme.a"') as caught:
        found.load("passes", "acme.a")
    said = caught.value.render()
    assert "acme 1.0 may offer it, but is not usable: cannot load the plugin s of acme" in said
    assert "No module named 'no_such_module' (reinstall acme, or do without it)" in said
    assert "linkpipe_passes of r fails: ZeroDivisionError: in the hook" in said
    assert "linkpipe_passes of o fails: TypeError: its offers are no linkpipe.api.Offer" in said


def test_an_installed_plugin_for_another_version_breaks_no_link() -> None:
    old = entry("s", "tests.linkpipe.hook_module:old", group="linkpipe.plugins")
    found = Catalog([old, entry("x", "json:dumps")])
    assert found.load("passes", "x")
    assert set(found.broken) == {"acme 1.0"}
    assert "linkpipe_stages" in found.broken["acme 1.0"].render()


def test_modules_with_hooks_are_plugins() -> None:
    found = Catalog([entry("s", "tests.linkpipe.hook_module", group="linkpipe.plugins")])
    assert found.load("passes", "hooked").name == "hooked"


def test_the_identity_follows_the_files(tmp_path: Path) -> None:
    """What `-V=full` answers changes with the plugins that a pipeline uses, and only with them."""

    def made(name: str, record: str) -> EntryPoint:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "RECORD").write_text(record)
        return EntryPoint("linkpipe.passes", f"{name}.p", "m:p", name, "1.0", str(info))

    def identity(acme: str, other: str) -> str:
        return Catalog([made("acme", acme), made("other", other)]).identity(["acme.p"])

    first = identity("m.py,sha256=1,3", "x")
    assert identity("m.py,sha256=1,3", "y") == first
    assert identity("m.py,sha256=2,3", "x") != first


def test_the_identity_follows_what_a_plugin_requires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of a compressor gives other bytes, and no hash of the plugin's own files
    tells. What only an extra requires is not used by a link."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("m.py,sha256=1,3")
    (info / "METADATA").write_text(
        "Name: acme\nRequires-Dist: Zip.Fast>=1\nRequires-Dist: absent\n"
        'Requires-Dist: pytest; extra == "test"\n\nRequires-Dist: text\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("linkpipe.passes", "acme.p", "m:p", "acme", "1.0", str(info))
    seen = []
    for name in ("zip_fast-1.0", "zip_fast-1.1", "zip_fast-1.1 pytest-9", "zip_fast-1.1 text-1"):
        made = [tmp_path / f"{one}.dist-info" for one in name.split()]
        for folder in made:
            folder.mkdir()
        assert required([str(info)]) == {str(made[0])}
        seen.append(Catalog([point]).identity(["acme.p"]))
        for folder in made:
            folder.rmdir()
    assert seen[0] != seen[1]
    assert len(set(seen[1:])) == 1


def dist(folder: Path, name: str, *requires: str, **files: str) -> str:
    """Install a distribution in editable mode: its .dist-info, with these files besides."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text('{"dir_info": {"editable": true}}')
    (info / "RECORD").write_text(files.pop("RECORD", ""))
    (info / "METADATA").write_text("".join(f"Requires-Dist: {one}\n" for one in requires))
    for file, content in files.items():
        (info / f"{file}.txt").write_text(content)
    return str(info)


@pytest.mark.parametrize("how", ["top_level", "finder", "pth"])
def test_all_packages_of_an_editable_install_are_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Not only those that entry points name: a pass imports the others. setuptools notes them in
    top_level.txt and in a finder, others in a .pth file alone."""
    source = tmp_path / "src"
    package, util = f"parts_{how}", f"parts_{how}_util"
    for name in (package, util):
        (source / name).mkdir(parents=True)
        (source / name / "__init__.py").write_text("x = 1\n")
    (tmp_path / "own.pth").write_text(f"{source}\n")
    files = {
        "top_level": {"top_level": f"{package}\n{util}\n"},
        "finder": {"RECORD": "own_finder.py,sha256=1,3\n"},
        "pth": {"RECORD": "own.pth,sha256=1,3\n"},
    }[how]
    finder = ModuleType("own_finder")
    finder.__dict__["MAPPING"] = {name: str(source / name) for name in (package, util)}
    monkeypatch.setitem(sys.modules, "own_finder", finder)
    monkeypatch.syspath_prepend(source)
    info = dist(tmp_path, "parts", **files)
    point = EntryPoint("linkpipe.passes", "p", f"{package}:p", "parts", "1.0", info)
    before = Catalog([point]).identity(["p"])
    assert Catalog([point]).identity(["p"]) == before
    (source / util / "__init__.py").write_text("x = 2222\n")
    assert Catalog([point]).identity(["p"]) != before


def test_the_identity_follows_the_code_that_a_plugin_requires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far: the files of what is installed in editable mode, the RECORD of the rest."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("far_own", "far_near", "far_far"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    info = dist(tmp_path, "far_own", "far-near", top_level="far_own\n")
    dist(tmp_path, "far_near", "far-far", "far-wheel", top_level="far_near\n")
    dist(tmp_path, "far_far", "far_own", top_level="far_far\n")  # around, too
    wheel = tmp_path / "far_wheel-1.0.dist-info"
    wheel.mkdir()
    (wheel / "RECORD").write_text("m.py,sha256=1,3")
    point = EntryPoint("linkpipe.passes", "p", "far_own:p", "far-own", "1.0", info)
    seen = [Catalog([point]).identity(["p"])]
    for file in ("far_near.py", "far_far.py", "far_wheel-1.0.dist-info/RECORD"):
        (tmp_path / file).write_text("x = 2222\n")
        seen.append(Catalog([point]).identity(["p"]))
    assert len(set(seen)) == len(seen)


def test_the_identity_follows_what_a_pass_wraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a part of what the pass does, and stands in no pipeline. To find it the pass is
    imported, and what that prints is not where the go command reads the answer."""
    monkeypatch.syspath_prepend(tmp_path)
    points = []
    for name, module in (
        ("outer", "outer = wrapping('inn.p', name='outer')(lambda link, step: step(link))"),
        ("inn.p", "inn = linkpass(name='inn.p')(lambda link: link)"),
    ):
        package = f"wraps_{name[:3]}"
        (tmp_path / f"{package}.py").write_text(
            f"from linkpipe.api import linkpass, wrapping\n{module}\nprint('hello')\n"
        )
        value = f"{package}:{module.partition(' ')[0]}"
        info = dist(tmp_path, package, top_level=package)
        points.append(EntryPoint("linkpipe.passes", name, value, package, "1.0", info))
    before = Catalog(points).identity(["outer"])
    assert capsys.readouterr().out == ""
    assert Catalog(points).identity(["outer"]) == before
    (tmp_path / "wraps_inn.py").write_text("x = 2222\n")
    assert Catalog(points).identity(["outer"]) != before


@pytest.mark.parametrize("outer", ["", ", always=True"])
@pytest.mark.parametrize("inner", ["", ", always=True"])
def test_a_pass_that_is_to_run_always_has_another_identity_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str, outer: str
) -> None:
    """So that the go command links again; so does one that wraps it. Where no such pass is named,
    nothing of that."""
    monkeypatch.syspath_prepend(tmp_path)
    module = f"always_{bool(inner):d}{bool(outer):d}"
    (tmp_path / f"{module}.py").write_text(
        "from linkpipe.api import linkpass, wrapping\n"
        f"inn = linkpass(name='inn'{inner})(lambda link: link)\n"
        f"out = wrapping('inn', name='out'{outer})(lambda link, step: step(link))\n"
        "other = linkpass(name='other')(lambda link: link)\n"
    )
    info = dist(tmp_path, module, top_level=module)
    points = [
        EntryPoint("linkpipe.passes", name, f"{module}:{name}", module, "1.0", info)
        for name in ("inn", "out", "other")
    ]

    def changes(name: str) -> bool:
        return Catalog(points).identity([name]) != Catalog(points).identity([name])

    assert [changes(name) for name in ("inn", "out", "other")] == [
        bool(inner),
        bool(inner or outer),
        False,
    ]
    assert Catalog(points).load("passes", "out").always == bool(inner or outer)


@pytest.mark.parametrize("body", ["1 / 0", "raise SystemExit(3)", "x = ("])
def test_a_package_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """By `-V=full`, which looks for the files of its modules."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "cbad").mkdir()
    (tmp_path / "cbad" / "__init__.py").write_text(f"{body}\n")
    info = dist(tmp_path, "cbad")
    point = EntryPoint("linkpipe.passes", "p", "cbad.c:p", "cbad", "1.0", info)
    with pytest.raises(UserError, match=r"cannot load cbad of cbad 1\.0: \w+") as caught:
        Catalog([point]).unidentified({"passes": ["p"]})
    assert "reinstall cbad" in caught.value.render()


def test_the_identity_follows_compiled_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an editable install, too, which has no list of hashes: they are what runs."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").touch()
    module = tmp_path / "acme" / f"fast{EXTENSION_SUFFIXES[0]}"
    info = tmp_path / "acme-1.0.dist-info"
    entry = EntryPoint("linkpipe.passes", "acme.p", "acme.fast:p", "acme", "1.0", str(info))

    def identity(content: bytes) -> str:
        module.write_bytes(content)
        return Catalog([entry]).identity(["acme.p"])

    assert identity(b"one") != identity(b"another")


@pytest.mark.parametrize(
    "url",
    [
        '{"dir_info": {"editable": true}, "url": "file:///x"}',  # pip
        '{"url":"file:///x","dir_info":{"editable":true}}',  # uv
        None,  # whatever writes no RECORD
    ],
)
def test_an_editable_install_is_identified_by_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    """Or the go command takes links of the code of before out of its cache."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    if url is not None:
        (info / "direct_url.json").write_text(url)
        (info / "RECORD").write_text("acme_editable.pth,sha256=1,3")
    module = f"acme_editable_{len(url or '')}"  # imported once
    (tmp_path / f"{module}.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("linkpipe.passes", "acme.p", f"{module}:p", "acme", "1.0", str(info))
    before = Catalog([point]).identity(["acme.p"])
    (tmp_path / f"{module}.py").write_text("x = 2222\n")
    assert Catalog([point]).identity(["acme.p"]) != before


@pytest.mark.parametrize("changed", ["deep/count.py", "other.py", "names.txt"])
@pytest.mark.parametrize("regular", [True, False])
def test_all_of_an_editable_package_is_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, *, regular: bool
) -> None:
    """What a pass imports and reads from beside it, however deep its module lies, and whether or
    not the package has an __init__."""
    package = f"acme_{regular}_{changed[:4]}"  # imported once
    folder = tmp_path / package
    (folder / "deep").mkdir(parents=True)
    files = [folder / "deep" / "count.py", folder / "other.py", folder / "names.txt"]
    if regular:
        files += [folder / "__init__.py", folder / "deep" / "__init__.py"]
    for file in files:
        file.write_text("x = 1\n")
    info = tmp_path / "acme-1.0.dist-info"
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(
        "linkpipe.passes", "acme.p", f"{package}.deep.count:p", "acme", "1.0", str(info)
    )
    before = Catalog([point]).identity(["acme.p"])
    assert Catalog([point]).identity(["acme.p"]) == before
    (folder / changed).write_text("x = 2222\n")
    # A folder without a module may be shared with others: only the module's own file is known.
    known = regular or changed == "deep/count.py"
    assert (Catalog([point]).identity(["acme.p"]) != before) == known


def test_what_a_hook_offers_has_the_identity_of_its_package(tmp_path: Path) -> None:
    """Whatever it calls the owner."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    point = EntryPoint(
        "linkpipe.plugins", "acme", "tests.linkpipe.hook_module", "acme", "1.0", str(info)
    )
    seen = []
    for record in ("m.py,sha256=1,3", "m.py,sha256=2,3"):
        (info / "RECORD").write_text(record)
        found = Catalog([point])
        assert found.unidentified({"passes": ["hooked"]}) == []
        assert found.identity(["hooked"]) == Catalog([point]).identity(["hooked"])
        seen.append(found.identity(["hooked"]))
    assert seen[0] != seen[1]


def test_what_has_no_identity_is_never_like_another(tmp_path: Path) -> None:
    """Or a cache would give a link of the code of before. It is named."""
    lost = EntryPoint("linkpipe.passes", "lost", "no_module:p", "acme", "1.0", str(tmp_path / "i"))
    found = Catalog([lost], {"p": Plugin({"b": setter("b")})})
    assert found.unidentified({"passes": ["b", "lost"]}) == ["b of sample 1.0", "lost of acme 1.0"]
    for name in ("b", "lost"):
        assert found.identity([name]) != found.identity([name])
    assert found.identity([]) == found.identity([])


@pytest.mark.parametrize("url", ['{"archive_info": {}}', '{"dir_info": {}}', "[]", "{", ""])
def test_other_installs_are_identified_by_their_record(tmp_path: Path, url: str) -> None:
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(url)
    (info / "RECORD").write_text("m.py,sha256=1,3")
    point = EntryPoint("linkpipe.passes", "acme.p", "m:p", "acme", "1.0", str(info))
    before = Catalog([point]).identity(["acme.p"])
    (info / "RECORD").write_text("m.py,sha256=2,3")
    assert Catalog([point]).identity(["acme.p"]) != before


def test_suggestions() -> None:
    assert suggestion("ptap", ["ptab", "load"]) == "did you mean ptab?"
    assert suggestion("zzz", ["ptab"]) == ""
