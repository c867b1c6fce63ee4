from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

from linkpipe.engine.entrypoints import EntryPoint
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import check_output, check_unread, input_files, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import PipelineError, UserError
from linkpipe.flags.options import Options
from tests.linkpipe.synthetic import Greeting, Plugin, catalog, plan_of, setter, steps

A = setter("a", provides=["x"])
B = setter("b", requires=["x"], provides=["y"])
C = setter("c", requires=["x", "y"], provides=["x"])
MODE = setter("linkmode", provides=["mode"])


def refused(tmp_path: Path, text: str, *passes: Pass) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        plan_of(tmp_path, text, *passes)
    assert caught.value.file == str(tmp_path / "pipeline.toml")
    assert caught.value.remedy
    return caught.value


def test_a_plan_knows_who_provides_what(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, steps("a", "b", "c"), A, B, C)
    assert plan.providers == {"x": ("a", "c"), "y": ("b",)}
    graph = plan.graph()
    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph.edges) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert graph.edges["b", "c"]["facts"] == ("y",)
    check_unread(plan)


def test_an_unknown_pass(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("a", "bb"), A, B)
    assert error.message == 'unknown pass "bb"'
    assert error.line == 4
    error = refused(tmp_path, steps("a", "acme.zz"), A, B)
    assert "install the distribution" in error.remedy


def test_a_missing_provider(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("b"), A, B)
    assert "requires the fact `x`, which no pass of the pipeline provides" in error.message
    assert error.line == 2


def test_a_provider_that_comes_too_late(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("b", "a"), A, B)
    assert f"which a provides after it, in {tmp_path}/pipeline.toml:3" in error.message
    assert error.remedy == "move b behind a"


def test_a_cycle_is_spelled_out(tmp_path: Path) -> None:
    p = setter("p", requires=["y"], provides=["x"])
    error = refused(tmp_path, steps("p", "b"), p, B)
    assert error.message.startswith("cycle:")
    assert "p needs `y` of b" in error.message
    assert "b needs `x` of p" in error.message


def test_a_pass_that_stands_twice(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("a", "a"), A)
    assert "twice" in error.message
    assert error.line == 4
    assert ":2" in error.remedy


def test_a_duplicate_name_names_both_owners(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(steps("a"))
    both = Catalog((), {"1": Plugin({"a": A}, "one 1"), "2": Plugin({"a": A}, "two 2")})
    with pytest.raises(PipelineError, match="duplicate name.*one 1.*two 2") as caught:
        make_plan(load_pipeline(str(tmp_path / "pipeline.toml")), both)
    assert caught.value.line == 2


def test_a_duplicate_that_no_pipeline_names_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(steps("b2"))
    free = setter("b2")
    both = Catalog((), {"1": Plugin({"a": A, "b2": free}, "one"), "2": Plugin({"a": A}, "two")})
    assert len(make_plan(load_pipeline(str(tmp_path / "pipeline.toml")), both).passes) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{ txt = 'x' }", "unknown option `txt`"),
        ("{ text = 3 }", "expected str, found 3"),
        ("{ times = 'x' }", "expected int, found 'x'"),
        ("{ times = true }", "expected int, found True"),
        ("{ loud = 1 }", "expected bool, found 1"),
        ("{ words = ['a', 3] }", "expected str, found 3"),
        ("{ list = 3 }", "expected str, found 3"),
    ],
)
def test_wrong_options(tmp_path: Path, options: str, message: str) -> None:
    greet = setter("greet", options=Greeting)
    error = refused(tmp_path, f"{steps('greet')}options = {options}\n", greet)
    assert message in error.message
    assert "greet" in error.message
    assert error.line == 3


def test_options_of_a_pass_without_options(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("a") + "options = { n = 1 }\n", A)
    assert "the pass a has no options" in error.message


def test_options_are_typed_and_default(tmp_path: Path) -> None:
    greet = setter("greet", options=Greeting)
    text = steps("greet") + "options = { text = 'hi', words = ['a'] }\n"
    (planned,) = plan_of(tmp_path, text, greet).passes
    assert planned.options == Greeting("hi", words=("a",))
    (planned,) = plan_of(tmp_path, steps("greet"), greet).passes
    assert planned.options == Greeting()


def test_paths_start_from_the_file_they_are_written_in(tmp_path: Path) -> None:
    """Wherever the link runs, and whoever extends the file."""
    greet = setter("greet", options=Greeting)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "base.toml").write_text(
        steps("greet") + "options = { list = 'allow.txt', lists = ['/x', '../y'] }\n"
    )
    text = 'extends = "sub/base.toml"\n[[replace]]\nname = "greet"\n'
    (planned,) = plan_of(tmp_path, text, greet).passes
    assert planned.options.list == tmp_path / "sub" / "allow.txt"
    assert planned.options.lists == (Path("/x"), tmp_path / "sub" / ".." / "y")
    (planned,) = plan_of(tmp_path, text + "options = { list = 'a' }\n", greet).passes
    assert planned.options.list == tmp_path / "a"


def test_an_inherited_option_is_wrong_where_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(steps("greet") + "\noptions = { text = 3 }\n")
    text = 'extends = "base.toml"\n[[replace]]\nname = "greet"\n'
    with pytest.raises(PipelineError) as caught:
        plan_of(tmp_path, text, setter("greet", options=Greeting))
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "base.toml"), 4)


def test_the_files_that_passes_read(tmp_path: Path) -> None:
    """A pass without options reads none, and need not even be installed."""
    greet = setter("greet", options=Greeting, inputs=("list", "lists"))
    (tmp_path / "p.toml").write_text(steps("a", "greet") + "options = { lists = ['1', '2'] }\n")
    files = input_files(load_pipeline(str(tmp_path / "p.toml")), catalog(greet))
    assert files == (tmp_path / "1", tmp_path / "2")


def test_what_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(steps("a"))
    for thing, message in ((len, "is no pass but builtin"), (B, 'calls itself "b"')):
        odd = Catalog((), {"1": Plugin({"a": thing})})
        with pytest.raises(PipelineError, match=message):
            make_plan(load_pipeline(str(tmp_path / "pipeline.toml")), odd)


def test_conditions_on_flags_are_decided_before_the_link(tmp_path: Path) -> None:
    text = steps("a") + 'when = { buildmode = ["plugin"] }\n' + steps("b")
    plan = plan_of(tmp_path, text, A, setter("b"), options=Options(buildmode="exe"))
    assert [planned.name for planned in plan.passes] == ["b"]
    assert [step.name for step in plan.skipped] == ["a"]
    plan = plan_of(tmp_path, text, A, setter("b"), options=Options(buildmode="plugin"))
    assert [planned.name for planned in plan.passes] == ["a", "b"]


@pytest.mark.parametrize(
    ("when", "runs"), [("true", [9, -1]), ("false", [0]), ("9", [9]), ("[false, 9]", [0, 9])]
)
def test_true_is_any_number_but_0(tmp_path: Path, when: str, runs: list[int]) -> None:
    text = steps("a") + f"when = {{ randlayout = {when} }}\n" + steps("b")
    for seed in (9, 0, -1):
        plan = plan_of(tmp_path, text, A, setter("b"), options=Options(randlayout=seed))
        assert len(plan.passes) == 1 + (seed in runs)


def test_what_is_left_out_provides_nothing(tmp_path: Path) -> None:
    text = steps("a") + "when = { s = true }\n" + steps("b")
    with pytest.raises(PipelineError, match="no pass of the pipeline provides"):
        plan_of(tmp_path, text, A, B, options=Options(s=False))


def test_conditions_on_the_mode_wait_for_the_link(tmp_path: Path) -> None:
    text = steps("linkmode", "a") + "when = { external = true }\n"
    plan = plan_of(tmp_path, text, MODE, A, options=Options())
    assert plan.passes[1].when == {"external": (True,)}


def test_a_condition_on_the_mode_needs_the_mode(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("a") + "when = { external = true }\n", A)
    assert "cannot be decided here" in error.message
    assert error.line == 3


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ('buildmode = ["exe", "exec"]', "there is no buildmode 'exec'"),
        ('goarch = "ard65"', "there is no goarch 'ard65'"),
        ('goos = "plan10"', "there is no goos 'plan10'"),
        ("linkmode = 'extern'", "there is no linkmode 'extern'"),
        ("buildmode = []", "no value, so the pass would never run"),
        ("buildmode = [['exe']]", "expected str, found ['exe']"),
        ("X = 'a.b=c'", "unknown condition `X`"),
        ("buildmode = true", "expected str, found True"),
        ("w = 1", "expected bool, found 1"),
    ],
)
def test_a_value_that_there_is_not(tmp_path: Path, when: str, message: str) -> None:
    """The pass would silently never run; that other conditions rule it out is no excuse."""
    error = refused(tmp_path, steps("a") + f"\nwhen.s = true\nwhen.{when}\n", A)
    assert message in error.message
    assert error.line == 5


def test_an_architecture_that_is_installed_is_known(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(steps("a") + 'when = { goarch = ["ard64"] }\n')
    arch = EntryPoint("linkpipe.arches", "ard64", "m:ARCH", "acme", "1.0", "")
    known = Catalog([arch], {"sample": Plugin({"a": A})})
    assert make_plan(load_pipeline(str(tmp_path / "p.toml")), known).passes[0].name == "a"


def test_what_somebody_took_out_is_their_error(tmp_path: Path) -> None:
    """Not that of the file that is extended."""
    (tmp_path / "base.toml").write_text(steps("a", "b"))
    for edit, line in (("[[remove]]\nname='a'\n", 3), ("[[replace]]\nby='c2'\nname='a'\n", 4)):
        text = f'extends = "base.toml"\n{edit}'
        error = refused(tmp_path, text, A, B, setter("c2"))
        assert error.line == line
        assert error.message == (
            "a, which provides the fact `x`, is taken out here; the pass b requires it"
        )


def test_what_is_final_and_somebody_took_out_is_their_error(tmp_path: Path) -> None:
    """Not that of the barrier; a part of a fact, too."""
    for final in ("x", "x.part"):
        barrier = f'[[pass]]\nbarrier = "end"\nfinal = ["{final}"]\n'
        (tmp_path / "base.toml").write_text(steps("a", "c2") + barrier)
        text = 'extends = "base.toml"\n[[remove]]\nname = "a"\n'
        error = refused(tmp_path, text, A, setter("c2"))
        assert (error.file, error.line) == (str(tmp_path / "pipeline.toml"), 3)
        assert error.message == "a, which provides the fact `x`, is taken out here"


def test_what_was_put_in_again_is_not_taken_out(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(steps("a", "b"))
    edit = "[[remove]]\nname='a'\n[[insert]]\nname='a'\nafter='b'\n"
    with pytest.raises(PipelineError, match="requires the fact `x`, which a provides after it"):
        plan_of(tmp_path, f'extends = "base.toml"\n{edit}', A, B)


def test_an_end_at_a_barrier(tmp_path: Path) -> None:
    text = steps("a") + '[[pass]]\nbarrier = "x-final"\n' + steps("b")
    plan = plan_of(tmp_path, text, A, B)
    assert [planned.name for planned in plan.until("x-final").passes] == ["a"]
    with pytest.raises(UserError) as caught:
        plan.until("x-fnal")
    assert caught.value.remedy == "did you mean x-final?"


def test_the_mode_that_somebody_took_out(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(steps("linkmode", "a") + "when = { external = true }\n")
    text = 'extends = "base.toml"\n[[remove]]\nname = "linkmode"\n'
    error = refused(tmp_path, text, MODE, A)
    assert "linkmode, which provides the fact `mode`, is taken out here" in error.message


def test_the_mode_comes_too_late(tmp_path: Path) -> None:
    """The pass that provides it is named as it is called, whatever that is."""
    late = setter("acme.mode", provides=["mode"])
    error = refused(
        tmp_path, steps("a") + "when = { external = true }\n" + steps("acme.mode"), A, late
    )
    assert error.remedy == "move it behind acme.mode"


W1 = setter("w1", provides=["output"])
W2 = setter("w2", provides=["output"])


def writes(tmp_path: Path, text: str) -> str:
    """What is wrong with the output."""
    passes = (MODE, A, W1, W2)
    plan = plan_of(tmp_path, text, *passes)
    try:
        check_output(plan, load_pipeline(str(tmp_path / "pipeline.toml")), catalog(*passes))
    except PipelineError as e:
        return str(e).removeprefix(f"{tmp_path}/pipeline.toml:")
    return ""


def test_a_link_writes_a_file(tmp_path: Path) -> None:
    """Whatever its mode will be."""
    external, internal = "when = { external = true }\n", "when = { external = false }\n"
    assert writes(tmp_path, steps("a", "w1")) == ""
    assert writes(tmp_path, steps("linkmode", "w1") + external + steps("w2") + internal) == ""
    assert writes(tmp_path, steps("a")).startswith("2: the pipeline ends and no pass")
    assert writes(tmp_path, steps("linkmode", "w1") + internal).endswith("when external = true")
    # What other reasons there may be nobody can tell here.
    assert writes(tmp_path, steps("linkmode", "w1") + 'when = { reason = "x" }\n') == ""
    (tmp_path / "base.toml").write_text(steps("a", "w1"))
    text = 'extends = "base.toml"\n[[remove]]\nname = "w1"\n'
    assert writes(tmp_path, text) == "3: w1, which provides the fact `output`, is taken out here"


def test_an_unknown_condition(tmp_path: Path) -> None:
    error = refused(tmp_path, steps("a") + "when = { externl = true }\n", A)
    assert "unknown condition `externl`" in error.message
    assert "external" in error.remedy


def test_a_condition_that_could_never_hold(tmp_path: Path) -> None:
    for when in ('external = "yes"', "buildmode = true", "s = 1"):
        error = refused(tmp_path, steps("a") + f"when = {{ {when} }}\n", A)
        assert "expected " in error.message
        assert error.line == 3


def test_a_provider_that_may_be_left_out_serves_only_its_like(tmp_path: Path) -> None:
    text = steps("linkmode", "a") + "when = { external = true }\n" + steps("b")
    error = refused(tmp_path, text, MODE, A, B)
    assert "only a provides, and that may be left out" in error.message
    both = text + "when = { external = true, dynlink = true }\n"
    assert len(plan_of(tmp_path, both, MODE, A, B).passes) == 3


def test_a_fact_set_again_before_anybody_read_it(tmp_path: Path) -> None:
    again = setter("again", provides=["x"])
    plan = plan_of(tmp_path, steps("a", "again"), A, again)
    with pytest.raises(PipelineError, match="again sets the fact `x` again before"):
        check_unread(plan)


def test_the_default_plan_needs_no_networkx() -> None:
    """Nor anything else that is heavy: the check is on the path of every link."""
    code = (
        "import sys\n"
        "from linkpipe.engine.pipeline import load_pipeline\n"
        "from linkpipe.engine.plan import make_plan\n"
        "from linkpipe.engine.plugins import Catalog\n"
        "from linkpipe.flags.options import Options\n"
        "make_plan(load_pipeline(), Catalog(), Options())\n"
        "heavy = {'networkx', 'cattrs', 'rich', 'click', 'structlog', 'importlib.metadata'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_the_default_pipeline_is_a_sound_plan() -> None:
    check_unread(make_plan(load_pipeline(), Catalog()))
