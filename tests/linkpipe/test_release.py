"""release: what a release of Go says of itself, and how its objects are read."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from linkpipe import reloctype
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import UserError
from linkpipe.release import _FLAG2, Release
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from linkpipe.testing.links import object_format, release
from tests.conformance.toolchain import goroot
from tools.release import Source, changes, file_of, module

NAMES = sorted(Catalog().offers("releases"))
LISTS = release().lists._replace(
    experiments="fieldtrack regabiwrappers regabiargs arenas greenteagc", baseline="greenteagc"
)
MADE_UP: Release = attrs.evolve(release(), lists=LISTS, version_separator="-")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "go1.99.1"),
        ("greenteagc,regabiargs", "go1.99.1"),
        ("arenas", "go1.99.1-X:arenas"),
        ("nogreenteagc,arenas", "go1.99.1-X:arenas,nogreenteagc"),
        ("arenas,noarenas", "go1.99.1"),
        ("none", "go1.99.1-X:nogreenteagc"),
        ("none,greenteagc", "go1.99.1"),
    ],
)
def test_experiments_show_where_they_differ_from_the_default(text: str, shown: str) -> None:
    assert MADE_UP.build_version("go1.99.1", text) == shown


def test_experiments_of_a_development_version() -> None:
    assert MADE_UP.build_version("go1.99-abc", "arenas") == "go1.99-abc X:arenas"


def test_objects_name_all_that_is_on() -> None:
    """In Go's order; the two of the register ABI follow the architecture."""
    assert MADE_UP.enabled("arenas,noregabiargs", regabi=True) == (
        "regabiwrappers", "regabiargs", "arenas", "greenteagc"
    )  # fmt: skip
    assert MADE_UP.enabled("regabiargs", regabi=False) == ("greenteagc",)


def test_an_unknown_experiment_is_an_error() -> None:
    with pytest.raises(UserError, match="unknown GOEXPERIMENT such"):
        MADE_UP.enabled("nosuch", regabi=False)


@pytest.mark.parametrize("text", ["noswissmap", "none", "arenas,noswissmap"])
def test_an_experiment_that_has_to_be_on(text: str) -> None:
    """Maps of Go 1.24 and 1.25 without it have descriptors of another form."""
    with pytest.raises(UserError, match="GOEXPERIMENT=noswissmap is not supported"):
        release("1.25").enabled(text, regabi=True)
    assert "arenas" in release("1.25").enabled("arenas", regabi=True)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_translated_by_name(name: str) -> None:
    """Releases count anew; linkpipe's own numbers stay."""
    rel = release(name)
    names, form = rel.lists.relocs.split(), object_format(name, "arm64")
    assert len(form.builtins) == len(rel.builtins) > 200
    own = {kind.name: number for number, kind in Catalog().load("arches", "arm64").relocs.items()}
    own |= reloctype.NUMBERS
    for word in ("R_ADDR", "R_CALL", "R_ADDRARM64", "R_ARM64_TLS_LE", "R_INITORDER"):
        assert form.relocs[1 + names.index(word)] == own[word], word
    numbers = form.relocs[: len(names) + 1].tolist()
    assert len(set(numbers)) == len(numbers), "no two types are taken for one"
    kinds = rel.lists.object_kinds.split()
    assert form.kinds[kinds.index("SDWARFLINES")] == SymKind.SDWARFLINES
    assert form.kinds[len(kinds) :].tolist() == [SymKind.Sxxx] * (256 - len(kinds))
    bit = rel.lists.flag2.split().index("ABIWrapper")
    assert int(form.flag2[1 << bit]) << 8 == Flag.ABI_WRAPPER
    assert int(form.flag2[(1 << bit) | 1]) << 8 == Flag.ABI_WRAPPER | Flag.USED_IN_IFACE


def test_what_linkpipe_does_not_know_is_nothing_that_it_knows() -> None:
    """A type that only another release has, and is in no object that can be linked."""
    rel = attrs.evolve(MADE_UP, lists=LISTS._replace(relocs="R_X R_ADDR R_Y R_Z"))
    first, *rest, last = rel.object_format({"R_OWN": 3}).relocs[1:5].tolist()
    assert first > 4
    assert rest[0] == reloctype.R_ADDR
    assert rest[1] > 4
    assert last == 4


def test_own_numbers_are_those_that_the_constants_have() -> None:
    constants = {k: v for k, v in vars(reloctype).items() if k.startswith("R_")}
    assert constants == reloctype.NUMBERS
    bits = [Flag[word].value for word in (
        "USED_IN_IFACE", "ITAB", "DICT", "PKG_INIT", "LINKNAME", "LINKNAME_STD", "ABI_WRAPPER",
        "WASM_EXPORT",
    )]  # fmt: skip
    assert bits == [1 << (8 + bit) for bit in range(len(_FLAG2))]


@pytest.mark.parametrize("goarch", sorted(Catalog().offers("arches")))
@pytest.mark.parametrize("name", NAMES)
def test_every_release_has_the_types_of_an_architecture(goarch: str, name: str) -> None:
    kinds = Catalog().load("arches", goarch).relocs
    lists = release(name).lists
    names = {kind.name for kind in kinds.values()}
    later = set()
    if "dwarf5" not in lists.experiments.split():  # addresses by index came with it
        later |= {f"R_DWTXTADDR_U{size}" for size in (1, 2, 3, 4)} | {"R_RISCV_GOT_PCREL_ITYPE"}
    if name in ("1.24", "1.25"):  # no object has them; C objects that do are refused there
        later |= {"R_RISCV_ADD32", "R_RISCV_SUB32"}
    assert names - set(lists.relocs.split()) == later & names


def test_runtime_packages_by_name_and_below_a_folder() -> None:
    lists = LISTS._replace(runtime_packages="runtime internal/runtime/")
    rel = attrs.evolve(MADE_UP, lists=lists)
    assert rel.is_runtime("runtime")
    assert rel.is_runtime("internal/runtime/maps")
    assert not rel.is_runtime("internal/runtime/maps_test")
    assert not rel.is_runtime("runtime/debug")


def test_the_lists_are_the_toolchains() -> None:
    """Of the release that the tests use; ``python -m tools.release GOROOT`` writes them."""
    source = Source(goroot())
    assert changes(file_of(source.name).read_text(), module(source)) == []
    assert file_of(source.name).read_text() == module(source)


def test_what_changed_is_named(tmp_path: Path) -> None:
    old = module(Source(goroot()))
    new = old.replace(" R_CALLIND ", " R_NEW ").replace("runtime.newobject\n", "", 1)
    assert changes(old, new) == [
        "builtins: without runtime.newobject",
        "relocs: without R_CALLIND",
        "relocs: with R_NEW",
    ]
    assert changes(old, old) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_release_is_consistent(name: str) -> None:
    """What one field says the others agree with."""
    rel = release(name)
    assert rel.name == name
    carriers = {carrier.name for carrier in rel.carriers}
    assert {group.carrier for group in rel.groups} <= carriers
    assert {group.relro_carrier for group in rel.groups if group.relro_carrier} <= carriers
    assert {"typelinks", "itablinks"} <= set(rel.module_fields) or not rel.typelinks
    rules = (*rel.writable, *rel.constant, *rel.relocated, *rel.last)
    kinds = [kind for rule in rules for kind in rule.kinds]
    assert len(kinds) == len(set(kinds)), "no kind goes to two sections"
    laid = {group.kind for group in rel.groups} | {
        group.relro_kind for group in rel.groups if group.relro_kind
    }
    assert laid <= set(kinds)
    assert np.all(object_format(name).kinds[:2] == [SymKind.Sxxx, SymKind.STEXT])
