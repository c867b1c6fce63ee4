"""Pipelines on the command line: -pass, -skip-pass, and the file that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from linkpipe.engine.flagedits import edits, pipeline_of
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import LinkpipeError, OptionError
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
    """And the link's identity has it in it."""
    settings = Settings(pipeline=base, pass_=("greet@a:times=3,text=é\x7f",), skip_pass=("b",))
    text = edits(settings, KNOWN)
    (tmp_path / "same.toml").write_text(text)
    one, other = pipeline_of(settings, KNOWN), load_pipeline(str(tmp_path / "same.toml"), KNOWN)
    assert [(s.name, s.options) for s in one.steps] == [(s.name, s.options) for s in other.steps]
    assert one.source == other.source != load_pipeline(base).source


def test_without_a_place_options_are_for_one_that_stands_there(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(steps("a", "greet"))
    settings = Settings(pipeline=str(tmp_path / "p.toml"), pass_=("greet:times=2",))
    assert make_plan(pipeline_of(settings, KNOWN), KNOWN).passes[1].options.times == 2


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
