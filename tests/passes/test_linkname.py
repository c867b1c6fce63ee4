"""linkname: who may refer to what of the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.passes.linkname import linkname
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved

TEXT, DATA, BSS = 1, 7, 9
PUSH, STD_PUSH = int(Flag.LINKNAME) >> 8, int(Flag.LINKNAME_STD) >> 8
STD, ASSEMBLY = goobj.FLAG_STD, goobj.FLAG_FROM_ASSEMBLY


def function(name: str, marks: int = 0, abi: int = 1) -> Sym:
    return Sym(name=name, type=TEXT, abi=abi, flag2=marks, size=1, data=b"f")


def pull(name: str) -> Sym:
    return Sym(name=name, abi=1, flag2=PUSH, type=0)


def check(
    tmp_path: Path,
    definition: Sym,
    *,
    by: str = "example.org/x",
    flags: int = STD,
    reference: Sym | None = None,
    by_flags: int = 0,
    others: tuple[Sym, ...] = (),
) -> None:
    objects = [
        Obj("runtime", nonpkg=(definition, *others), flags=flags),
        Obj(by, refs=(reference or pull(definition.name),), flags=by_flags),
    ]
    linkname.run(resolved(tmp_path, objects))


def test_an_unmarked_function_of_the_standard_library_is_closed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check(tmp_path, function("runtime.f"))
    assert str(error.value) == "example.org/x: invalid reference to runtime.f"
    assert error.value.exit_status == 1


def test_a_push_opens_it(tmp_path: Path) -> None:
    check(tmp_path, function("runtime.f", PUSH))


def test_a_push_for_the_standard_library_opens_it_to_that_alone(tmp_path: Path) -> None:
    check(tmp_path, function("runtime.f", STD_PUSH), by="os", by_flags=STD)
    with pytest.raises(InputError):
        check(tmp_path, function("runtime.f", STD_PUSH))


def test_other_packages_are_not_guarded(tmp_path: Path) -> None:
    check(tmp_path, function("runtime.f"), flags=0)


def test_listed_names_are_closed_whatever_their_marks(tmp_path: Path) -> None:
    """The list names the one package that may."""
    listed = "sync.runtime_SemacquireWaitGroup"
    check(tmp_path, function(listed, PUSH), by="sync")
    with pytest.raises(InputError):
        check(tmp_path, function(listed, PUSH))


def test_a_frozen_fips_module_may_do_what_the_current_one_may(tmp_path: Path) -> None:
    listed = "crypto/internal/fips140.fatal"
    check(tmp_path, function(listed, PUSH), by="crypto/internal/fips140/v1.2.3", by_flags=STD)


def test_assembly_is_guarded_without_a_mark_on_the_reference(tmp_path: Path) -> None:
    plain = Sym(name="runtime.f", abi=1, type=0)
    check(tmp_path, function("runtime.f"), reference=plain)
    with pytest.raises(InputError):
        check(tmp_path, function("runtime.f"), reference=plain, by_flags=ASSEMBLY)


def test_an_assembly_function_is_opened_by_the_mark_of_its_wrapper(tmp_path: Path) -> None:
    code, wrapper = function("runtime.f", abi=0), function("runtime.f", PUSH)
    reference = Sym(name="runtime.f", abi=0, flag2=PUSH, type=0)
    check(tmp_path, code, flags=STD | ASSEMBLY, reference=reference, others=(wrapper,))
    with pytest.raises(InputError):
        check(tmp_path, code, flags=STD | ASSEMBLY, reference=reference)


def test_a_variable_without_content_is_a_reference_too(tmp_path: Path) -> None:
    """``//go:linkname x runtime.x`` over ``var x int`` declares, and pulls, by one record."""
    variable = Sym(name="runtime.x", type=DATA, size=8, data=b"12345678")
    pulled = Sym(name="runtime.x", type=BSS, size=8, flag2=PUSH)
    objects = [Obj("runtime", nonpkg=(variable,), flags=STD), Obj("p", nonpkg=(pulled,))]
    with pytest.raises(InputError, match=r"p: invalid reference to runtime\.x"):
        linkname.run(resolved(tmp_path, objects))
