"""linkmode: who finishes the link, and whether Go is linked dynamically."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace
from typing import Any

import attrs
import pytest

from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.flags.environ import Environment
from linkpipe.flags.options import Options, read_options
from linkpipe.passes.linkmode import linkmode
from linkpipe.release import Release
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import HostObject, Package, Packages
from linkpipe.testing.links import release


def decide(
    *flags: str,
    packages: tuple[str, ...] = ("main", "runtime"),
    host: tuple[tuple[str, str], ...] = (),
    markers: dict[str, tuple[str, ...]] | None = None,
    variables: dict[str, str] | None = None,
    build_modes: frozenset[str] = frozenset({"exe", "plugin"}),
    go: Release | None = None,
    internal_pie: bool = True,
    links_c: bool = True,
) -> Mode:
    environment = attrs.evolve(
        Environment("", "linux", "amd64", "go1.27.3"), variables=variables or {}
    )
    options = read_options([*flags, "main.a"], environment)
    assert isinstance(options, Options)
    table = Packages(
        items=tuple(Package(p, "", "", b"", (), (), p == "main") for p in packages),
        modinfo=None,
        by_path=MappingProxyType({p: i for i, p in enumerate(packages)}),
        postorder=(),
        cgo=(),
        host_objects=tuple(HostObject(p, "", "", 0, 0, f) for p, f in host),
        flags=MappingProxyType(markers or {}),
    )
    arch: Any = SimpleNamespace(
        goarch="amd64",
        build_modes=build_modes,
        internal_pie=internal_pie,
        internal_cgo=True,
        linkage=SimpleNamespace(host={1: None} if links_c else {}),
    )
    given = {"packages": table, "options": options, "arch": arch, "release": go or release()}
    return linkmode.run(Link(given)).mode


CGO = ("main", "runtime", "runtime/cgo")


def test_a_plain_program_is_linked_internally_and_statically() -> None:
    mode = decide()
    assert (mode.external, mode.dynlink, mode.iscgo) == (False, False, False)


def test_a_plugin_needs_the_host_linker_and_dynamic_go() -> None:
    mode = decide("-buildmode=plugin", "-pluginpath=p", packages=CGO)
    assert (mode.external, mode.dynlink, mode.reason) == (True, True, "buildmode=plugin")


def test_a_host_is_dynamic_when_plugin_open_can_be_reached() -> None:
    """Package plugin, cgo and a target that supports plugins: all three are needed, the last from
    Go 1.26 on."""
    host = (*CGO, "plugin")
    assert decide(packages=host).dynlink
    assert not decide(packages=("main", "runtime", "plugin")).dynlink
    assert not decide(packages=CGO).dynlink
    for go, dynlink in {"1.25": True, "1.26": False, "": False}.items():
        mode = decide(packages=host, build_modes=frozenset({"exe"}), go=release(go))
        assert mode.dynlink == mode.can_use_plugins == dynlink


@pytest.mark.parametrize(
    ("flags", "external", "pic"),
    [
        ((), False, False),
        (("-linkmode=external",), True, False),
        (("-linkmode=external", "-buildmode=pie"), True, True),
        (("-buildmode=c-shared",), True, True),
        (("-buildmode=c-archive",), True, True),
        (("-buildmode=plugin",), True, True),
        (("-asan",), True, False),
        (("-msan",), True, False),
    ],
)
def test_what_needs_the_host_linker_and_what_may_lie_anywhere(
    flags: tuple[str, ...], external: bool, pic: bool
) -> None:
    mode = decide(*flags, packages=CGO)
    assert (mode.external, mode.pic) == (external, pic)
    assert mode.dynlink == ("-buildmode=plugin" in flags)


def test_a_host_of_plugins_calls_what_tells_code_where_it_is() -> None:
    assert decide(packages=(*CGO, "plugin")).pic


def test_a_position_independent_executable_needs_the_host_linker_on_some_architectures() -> None:
    assert not decide("-buildmode=pie").external
    mode = decide("-buildmode=pie", internal_pie=False)
    assert (mode.external, mode.reason) == (True, "buildmode=pie")


def test_c_objects_of_other_packages_force_the_host_linker() -> None:
    """Those of some standard packages are linked here."""
    mode = decide(packages=CGO, host=(("runtime/cgo", "elf"), ("net", "elf")))
    assert (mode.external, mode.host_objects) == (False, True)
    assert not decide(packages=CGO).host_objects
    assert not decide(packages=CGO, host=(("main", "elf"),)).host_objects
    mode = decide(packages=CGO, host=(("main", "elf"),))
    assert (mode.external, mode.reason) == (True, "C code of package main")
    assert not decide("-linkmode=internal", packages=CGO, host=(("net", "elf"),)).external
    assert decide(packages=CGO, markers={"preferlinkext": ("x",)}).external
    assert decide(packages=CGO, host=(("net", "unknown"),)).external


def test_c_objects_of_all_packages_do_where_the_architecture_does_not_link_them() -> None:
    mode = decide(packages=CGO, host=(("net", "elf"),), links_c=False)
    assert (mode.external, mode.reason) == (True, "C code of package net")


def test_c_objects_without_cgo_are_linked_here() -> None:
    """As the oracle has it: what it asks for a host linker with is that a program uses cgo."""
    mode = decide(host=(("main", "elf"),))
    assert (mode.external, mode.host_objects) == (False, True)


def test_the_experiment_decides_which_dwarf() -> None:
    """Version 5 where it is on, version 4 where it is not, or where a release has no such
    experiment."""
    assert decide().dwarf5
    off = {"GOEXPERIMENT": "arenas,nodwarf5"}
    assert not decide(variables=off).dwarf5
    lists = release().lists
    few = lists._replace(experiments="arenas", baseline="")
    assert not decide(go=attrs.evolve(release(), lists=few)).dwarf5
    default_off = attrs.evolve(release(), lists=lists._replace(baseline=""))
    assert not decide(go=default_off).dwarf5
    assert decide(go=default_off, variables={"GOEXPERIMENT": "dwarf5"}).dwarf5


def test_the_flag_and_the_environment_decide() -> None:
    assert decide("-linkmode=external").external
    assert decide(variables={"GO_EXTLINK_ENABLED": "1"}).external
    assert not decide(
        packages=CGO, host=(("main", "elf"),), variables={"GO_EXTLINK_ENABLED": "0"}
    ).external
    assert not decide("-linkmode=internal", variables={"GO_EXTLINK_ENABLED": "1"}).external


@pytest.mark.parametrize(
    ("flags", "variables", "message"),
    [
        (
            ("-linkmode=internal",),
            {},
            "internal linking requested but external linking required: buildmode=plugin",
        ),
        (
            (),
            {"GO_EXTLINK_ENABLED": "0"},
            (
                "internal linking requested via GO_EXTLINK_ENABLED but external linking "
                "required: buildmode=plugin"
            ),
        ),
    ],
)
def test_a_wish_that_cannot_be_met(
    flags: tuple[str, ...], variables: dict[str, str], message: str
) -> None:
    with pytest.raises(LinkpipeError) as error:
        decide(*flags, "-buildmode=plugin", packages=CGO, variables=variables)
    assert str(error.value) == message
    assert error.value.exit_status == 2
