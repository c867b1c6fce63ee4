"""cgo: what directives make of symbols, and which directives are refused."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from linkpipe.arches.amd64 import ARCH, LINKAGE
from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.passes.cgo import cgo
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import DynamicImport
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import CgoDirectives, HostObject
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny, with_arch


def carry_out(
    *directives: list[str],
    mode: Mode = EXTERNAL,
    text: str = "",
    host: tuple[HostObject, ...] = (),
    **flags: Any,
) -> Link:
    tiny = Tiny(mode, **{"buildmode": "plugin" if mode is PLUGIN else "exe", **flags})
    for name in ("main.exported", "main"):
        tiny.symbol(name, kind=SymKind.STEXT)
    tiny.symbol("main.exported", 1, kind=SymKind.STEXT)
    tiny.symbol("main.variable", kind=SymKind.SNOPTRBSS, size=8)
    packages: Any = SimpleNamespace(
        cgo=(CgoDirectives("p.a(_go_.o)", "p", text or json.dumps(directives)),),
        host_objects=host,
    )
    return cgo.run(tiny.link().evolve(packages=packages))


def test_what_is_imported_belongs_to_somebody_else() -> None:
    link = carry_out(
        ["cgo_import_static", "_cgo_init"],
        ["cgo_import_dynamic", "puts", "puts#GLIBC_2.2.5", "libc.so.6"],
        ["cgo_import_dynamic", "_", "_", "libm.so.6"],
        ["cgo_import_dynamic", "main.variable"],
        ["cgo_ldflag", "-O2"],
        ["cgo_ldflag", "-lm"],
        ["cgo_dynamic_linker", "/ld.so"],
    )
    symbols, facts = link.symbols, link.cgo
    puts = symbols.lookup("puts")
    assert symbols.kind[puts] == SymKind.SDYNIMPORT
    assert symbols.extname(puts) == b"puts"
    assert facts.imports[puts] == DynamicImport("puts", "libc.so.6", "GLIBC_2.2.5")
    assert symbols.kind[symbols.lookup("_cgo_init")] == SymKind.SHOSTOBJ
    assert symbols.kind[symbols.lookup("main.variable")] == SymKind.SDYNIMPORT
    assert facts.libraries == ("libm.so.6",)
    assert facts.ldflags == ("-O2", "-lm")
    assert (facts.interpreter, facts.dynamic) == ("/ld.so", True)


def test_a_word_that_is_empty_is_not_one_that_is_missing() -> None:
    """Who imports "_" by no name imports a symbol, and no library for its own sake."""
    link = carry_out(["cgo_import_dynamic", "_", "", "libz"])
    assert link.cgo.imports == {link.symbols.lookup("_"): DynamicImport("", "libz", "")}
    assert link.cgo.libraries == ()
    assert carry_out(["cgo_import_dynamic", "_"]).cgo.libraries == ("",)


def test_who_is_given_no_name_keeps_its_own() -> None:
    """There is only a version behind the sign that parts the two."""
    link = carry_out(["cgo_import_dynamic", "puts", "#GLIBC_2.2.5", "libc.so.6"])
    assert link.symbols.extname(link.symbols.lookup("puts")) == b"puts"


def test_without_a_host_linker_imports_from_c_objects_are_dropped() -> None:
    link = carry_out(
        ["cgo_import_static", "only_static"],
        ["cgo_import_static", "main.variable"],
        mode=INTERNAL,
    )
    symbols = link.symbols
    assert symbols.kind[symbols.lookup("only_static")] == SymKind.Sxxx
    assert symbols.kind[symbols.lookup("main.variable")] == SymKind.Sxxx


@pytest.mark.parametrize("name", ["puts", "_"])
def test_who_imports_is_loaded_by_the_dynamic_linker(name: str) -> None:
    """Even where nothing refers to what is imported; in an object it is the host linker's doing."""
    directive = ["cgo_import_dynamic", name, name, "libc.so.6"]
    assert carry_out(directive, mode=INTERNAL).mode.dynamic
    assert not carry_out(directive, mode=EXTERNAL).mode.dynamic


def test_who_loads_no_shared_library_exports_nothing_to_them() -> None:
    """The oracle, too, has no place for what is exported then."""
    with pytest.raises(LinkpipeError, match=r"global symbol \.dynsym") as error:
        carry_out(["cgo_export_dynamic", "main.exported"], mode=INTERNAL)
    assert "p.a(_go_.o)" in error.value.render()


def test_an_architecture_without_tables_needs_a_host_linker() -> None:
    with pytest.raises(LinkpipeError, match=r"shared libraries .* \(p\.a\(_go_\.o\)\)") as error:
        carry_out(
            ["cgo_import_dynamic", "puts", "puts", "libc.so.6"],
            mode=INTERNAL,
            arch=with_arch(ARCH, linkage=None),
        )
    assert "-linkmode=external" in error.value.render()


def test_the_dynamic_linker_loads_what_may_lie_anywhere() -> None:
    """With or without imports, unless -d says otherwise."""
    assert carry_out(mode=INTERNAL, buildmode="pie").mode.dynamic
    assert not carry_out(mode=INTERNAL, buildmode="pie", d=True).mode.dynamic
    arch = with_arch(ARCH, linkage=attrs.evolve(LINKAGE, relative=None))
    with pytest.raises(LinkpipeError, match="position-independent executable for amd64") as error:
        carry_out(mode=INTERNAL, buildmode="pie", arch=arch)
    assert "-linkmode=external" in error.value.render()


def test_what_comes_from_c_objects_may_come_from_a_shared_library_too() -> None:
    """Without C objects it does, unless Go exports it itself."""
    link = carry_out(
        ["cgo_import_static", "puts"],
        ["cgo_import_dynamic", "puts", "puts#GLIBC_2.2.5", "libc.so.6"],
        ["cgo_import_static", "gets"],
        ["cgo_import_dynamic", "gets"],
        mode=INTERNAL,
    )
    kind = link.symbols.kind
    assert kind[link.symbols.lookup("puts")] == SymKind.SDYNIMPORT
    assert kind[link.symbols.lookup("gets")] == SymKind.Sxxx


def test_what_shared_libraries_may_look_up_is_listed_once() -> None:
    link = carry_out(
        ["cgo_export_dynamic", "main.exported", "exported", "ABIInternal"],
        ["cgo_export_dynamic", "main.exported", "exported", "ABIInternal"],
        ["cgo_export_dynamic", "main"],
        ["cgo_import_dynamic", "_", "_", "libc.so.6"],
        mode=INTERNAL,
    )
    symbols = link.symbols
    exported = [symbols.lookup("main.exported", 1), symbols.lookup("main")]
    assert link.cgo.exports == dict.fromkeys(exported, "p.a(_go_.o)")


def test_exports_keep_the_name_that_c_knows() -> None:
    link = carry_out(
        ["cgo_export_static", "main.exported", "exported", "ABIInternal"],
        ["cgo_export_dynamic", "main.exported", "exported", "ABIInternal"],
    )
    sym = link.symbols.lookup("main.exported", 1)
    assert link.symbols.extname(sym) == b"exported"
    assert link.symbols.has(sym, Flag.CGO_EXPORT_STATIC | Flag.CGO_EXPORT_DYNAMIC)
    assert not link.symbols.has(link.symbols.lookup("main.exported"), Flag.CGO_EXPORT_STATIC)


def test_a_library_does_not_export_main() -> None:
    link = carry_out(["cgo_export_dynamic", "main"], mode=PLUGIN)
    assert not link.symbols.has(link.symbols.lookup("main"), Flag.CGO_EXPORT_DYNAMIC)


@pytest.mark.parametrize(
    ("directives", "message"),
    [
        ([["cgo_import_static"]], 'invalid cgo directive: ["cgo_import_static"]'),
        ([["cgo_nonsense", "x"]], 'invalid cgo directive: ["cgo_nonsense" "x"]'),
        ([["cgo_export_static", "main.exported", "x", "ABI9"]], "bad ABI in cgo_export directive"),
        (
            [["cgo_export_static", "main", "a"], ["cgo_export_dynamic", "main", "b"]],
            "conflicting cgo_export directives: main as a and b",
        ),
        (
            [["cgo_export_static", "main", "main"], ["cgo_export_dynamic", "main", ""]],
            "conflicting cgo_export directives: main as main and ",
        ),
        ([["cgo_x", 'a\x1b[31mb\n"']], r'invalid cgo directive: ["cgo_x" "a\x1b[31mb\n\""]'),
        (
            [["cgo_export_static", "main", "x", "A\x1bB"]],
            r"bad ABI in cgo_export directive [cgo_export_static main x A\x1bB]",
        ),
        (
            [["cgo_dynamic_linker", "/a"], ["cgo_dynamic_linker", "/b"]],
            "conflict dynlinker: /a and /b",
        ),
    ],
)
def test_what_cannot_be_carried_out(directives: list[list[str]], message: str) -> None:
    with pytest.raises(LinkpipeError) as error:
        carry_out(*directives)
    assert message in error.value.render()
    assert error.value.exit_status == 2


@pytest.mark.parametrize("text", ["[[", "{}", "[[1]]", "[[]]", '["x"]', "[" * 100_000])
def test_damaged_directives_are_an_error(text: str) -> None:
    with pytest.raises(LinkpipeError) as error:
        carry_out(text=text)
    assert "failed decoding cgo directives" in error.value.render()


def test_directives_are_read_as_go_reads_them() -> None:
    """What stands behind the list is passed over; halves of characters, and bytes that are not
    UTF-8, become U+FFFD, in names as in flags."""
    text = ' \n[["cgo_ldflag", "a\\ud800b\\ud83d\\ude00"], ["cgo_import_static", "x\udcff"]] ]['
    link = carry_out(text=text)
    assert link.cgo.ldflags == ("a\ufffdb\U0001f600",)
    assert link.symbols.lookup("x\ufffd")


def test_no_program_takes_a_flag_with_nul() -> None:
    with pytest.raises(LinkpipeError) as error:
        carry_out(["cgo_ldflag", "a\0b"])
    assert "p.a(_go_.o): invalid cgo directive" in error.value.render()
    assert carry_out(["cgo_ldflag", "a\0b"], mode=INTERNAL).cgo.ldflags == ("a\0b",)


def test_dynamic_imports_and_the_flag_d_exclude_each_other() -> None:
    with pytest.raises(LinkpipeError) as error:
        carry_out(["cgo_import_dynamic", "puts"], d=True)
    assert "cannot use dynamic imports with -d flag" in error.value.render()
    assert "leave out -d" in error.value.render()
    arch = with_arch(ARCH, linkage=attrs.evolve(LINKAGE, ignores_d=True))
    assert carry_out(["cgo_import_dynamic", "puts"], d=True, arch=arch).cgo.dynamic


def test_c_objects_need_a_host_linker() -> None:
    """Where the architecture does not say how they are linked; passing them over would be wrong."""
    host = (HostObject("net", "p.a(x.o)", "p.a", 0, 1, "elf"),)
    arch = with_arch(ARCH, linkage=attrs.evolve(LINKAGE, host={}))
    with pytest.raises(LinkpipeError, match="not supported yet") as error:
        carry_out(mode=attrs.evolve(INTERNAL, host_objects=True), host=host, arch=arch)
    assert "-linkmode=external" in error.value.render()
    assert carry_out(mode=attrs.evolve(INTERNAL, external=True), host=host).cgo.ldflags == ()
