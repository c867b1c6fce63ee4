"""Pipelines on the command line: -pass, -skip-pass, and the file that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.engine.flagedits import edits, pipeline_of
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import LinkpipeError, OptionError, UserError
from linkpipe.flags.settings import Settings, from_environment
from tests.linkpipe.synthetic import Greeting, catalog, setter, steps

A = setter("a", (), ("one",))
B = setter("b", ("one",), ("two",))
GREET = setter("greet", ("one",), ("said",), options=Greeting)
KNOWN = catalog(A, B, GREET)


@pytest.fixture
def base(tmp_path: Path) -> str:
    (tmp_path / "p.toml").write_text(steps("a", "b"))
    return str(tmp_path / "p.toml")


def names(base: str, *passes: str, **more: Any) -> list[str]:
    pipeline = pipeline_of(Settings(pipeline=base, pass_=passes, **more), KNOWN)
    return [step.name for step in pipeline.steps]


def test_passes_are_put_in_and_left_out(base: str) -> None:
    assert names(base) == ["a", "b"]
    assert names(base, "greet@a") == ["a", "greet", "b"]
    assert names(base, "greet@b", skip_pass=("a",)) == ["b", "greet"]
    assert names(base, "greet@a", "x@greet", "y@a") == ["a", "greet", "x", "y", "b"]


def test_options_have_the_types_of_the_pass(base: str) -> None:
    text = r"greet@a:text=say \, and \"x\",times=3,loud=true,words=one+two"
    settings = Settings(pipeline=base, pass_=(text,))
    (step,) = (
        s for s in make_plan(pipeline_of(settings, KNOWN), KNOWN).passes if s.name == "greet"
    )
    assert step.options == Greeting(r"say , and \"x\"", 3, True, ("one", "two"))


def test_the_file_that_is_printed_says_the_same(base: str, tmp_path: Path) -> None:
    """In another folder, too; and the link's identity has it in it."""
    passes = ("greet@a:times=3,text=é\x7f\U0001f600,list=l,lists=m+/n",)
    settings = Settings(pipeline=base, pass_=passes, skip_pass=("b",))
    text = edits(settings, KNOWN)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "same.toml").write_text(text)
    one = pipeline_of(settings, KNOWN)
    other = load_pipeline(str(tmp_path / "elsewhere" / "same.toml"), KNOWN)
    said = Greeting(
        "é\x7f\U0001f600", 3, list=Path("l").absolute(), lists=(Path("m").absolute(), Path("/n"))
    )
    for pipeline in (one, other):
        assert [s.name for s in pipeline.steps] == ["a", "greet"]
        assert make_plan(pipeline, KNOWN).passes[1].options == said
    assert one.source == other.source != load_pipeline(base).source


def test_a_path_that_toml_cannot_say(tmp_path: Path) -> None:
    """Else another file than the one that was asked for would be read."""
    pipeline = f"{tmp_path}/\udcff.toml"
    Path(pipeline).write_text(steps("a"))
    with pytest.raises(UserError, match="is no UTF-8") as caught:
        edits(Settings(pipeline=pipeline, skip_pass=("a",)), KNOWN)
    assert caught.value.render()


def test_a_file_that_is_called_as_the_command_line_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("command line").write_text(steps("a", "b"))
    assert names("command line", "greet@a") == ["a", "greet", "b"]


def test_without_a_place_options_are_for_one_that_stands_there(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(steps("a", "greet"))
    settings = Settings(pipeline=str(tmp_path / "p.toml"), pass_=("greet:times=2",))
    assert make_plan(pipeline_of(settings, KNOWN), KNOWN).passes[1].options.times == 2


def test_options_that_no_flag_names_stay(tmp_path: Path) -> None:
    """Paths among them are those that they were, as seen from the file that wrote them."""
    (tmp_path / "p.toml").write_text(
        f'{steps("a", "greet")}options = {{ times = 5, text = "x", list = "l", words = ["w"] }}\n'
    )
    passes = ("greet:text=y", "greet:loud=true")
    settings = Settings(pipeline=str(tmp_path / "p.toml"), pass_=passes)
    options = make_plan(pipeline_of(settings, KNOWN), KNOWN).passes[1].options
    assert options == Greeting("y", 5, True, ("w",), tmp_path / "l")


@attrs.frozen
class Odd:
    """Options of types that are made of others."""

    limit: int | None = None
    sizes: tuple[int, ...] = ()
    on: bool | None = None


def test_options_of_compound_types() -> None:
    known = catalog(setter("odd", options=Odd))
    text = edits(Settings(pass_=("odd@load:limit=3,sizes=1+2,on=true",)), known)
    assert '{ "limit" = 3, "sizes" = [1, 2], "on" = true }' in text


def test_a_pass_that_is_taken_out_and_put_in_is_told_where(base: str) -> None:
    with pytest.raises(LinkpipeError, match="does not say after what"):
        names(base, "b", skip_pass=("b",))


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        (("greet",), "-pass greet does not say after what"),
        (("nix@a",), 'unknown pass "nix"'),
        (("nix",), 'unknown pass "nix"'),
        (("greet@c",), 'no pass "c"'),
        (("greet@a", "greet@b"), "stands twice"),
        (("b@a",), "stands twice"),
        (("greet@a:tims=2",), "did you mean times?"),
        (("greet@a:times=x",), "expected int"),
        (("a:x=1",), "a has no options"),
        (("greet@",), "does not say which pass"),
        (("@a",), "does not say which pass"),
        (("",), "is no name of a pass"),
        (("greet@a:x",), "expected key=value"),
    ],
)
def test_what_is_refused(base: str, passes: tuple[str, ...], said: str) -> None:
    with pytest.raises(LinkpipeError) as caught:
        make_plan(pipeline_of(Settings(pipeline=base, pass_=passes), KNOWN), KNOWN)
    assert said in caught.value.render()
    assert "Traceback" not in caught.value.render()


def test_the_error_lists_places(base: str) -> None:
    with pytest.raises(LinkpipeError) as caught:
        names(base, "greet")
    assert "from `after a` to `after b`" in caught.value.remedy


def test_leaving_out_what_there_is_not(base: str) -> None:
    with pytest.raises(LinkpipeError, match='no pass "c"'):
        names(base, skip_pass=("c",))


def test_variables_say_the_same() -> None:
    said = from_environment(
        {
            "LINKPIPE_PASS": "a@b 'c@d:text=two words'",
            "LINKPIPE_SKIP_PASS": "e f",
            "LINKPIPE_UNTIL": "g",
            "LINKPIPE_DISABLE_PLUGIN": "h",
        }
    )
    assert Settings(**said).pass_ == ("a@b", "c@d:text=two words")
    assert said["skip_pass"] == ("e", "f")
    assert (said["until"], said["disable_plugin"]) == ("g", ("h",))
    with pytest.raises(OptionError, match="LINKPIPE_PASS"):
        from_environment({"LINKPIPE_PASS": "'"})


@pytest.mark.parametrize(
    ("name", "said"),
    [("linkpipe", "itself cannot be disabled"), ("nix", 'no plugin "nix" is installed')],
)
def test_plugins_that_cannot_be_disabled(name: str, said: str) -> None:
    with pytest.raises(LinkpipeError, match=said) as caught:
        Catalog(without=(name,))
    assert caught.value.remedy
