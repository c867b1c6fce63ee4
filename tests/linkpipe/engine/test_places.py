"""Places in a pipeline: barriers, where a pass may stand, why each stands where it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from linkpipe.engine.pipeline import Pipeline, load_pipeline
from linkpipe.engine.places import misplaced, standings
from linkpipe.engine.plan import Planned, check_facts, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import PipelineError
from linkpipe.flags.options import Options
from tests.linkpipe.synthetic import catalog, setter, steps

A = setter("a", (), ("one",))
B = setter("b", ("one",), ("two",))
C = setter("c", ("two",), ("three",))
READS = setter("reads", ("two",), ("own",))
BASE = (
    steps("a", "b")
    + '[[pass]]\nbarrier = "two-final"\nfinal = ["two"]\nwhy = "w"\n'
    + steps("c")
    + '[[pass]]\nbarrier = "end"\n'
)


def load(folder: Path, text: str = "", base: str = BASE) -> Pipeline:
    (folder / "base.toml").write_text(base)
    (folder / "p.toml").write_text(f'extends = "base.toml"\n{text}')
    return load_pipeline(str(folder / "p.toml"), catalog(A, B, C, READS))


def order(pipeline: Pipeline) -> list[str]:
    """Passes and barriers as they stand."""
    found = [step.name for step in pipeline.steps]
    for barrier in reversed(pipeline.barriers):
        found.insert(barrier.at, barrier.name)
    return found


def test_an_insert_names_a_barrier(tmp_path: Path) -> None:
    at = '[[insert]]\nname = "reads"\n{} = "two-final"\n'
    assert order(load(tmp_path)) == ["a", "b", "two-final", "c", "end"]
    found = order(load(tmp_path, at.format("after")))
    assert found == ["a", "b", "two-final", "reads", "c", "end"]
    found = order(load(tmp_path, at.format("before")))
    assert found == ["a", "b", "reads", "two-final", "c", "end"]


def test_barriers_may_be_added_and_removed(tmp_path: Path) -> None:
    own = '[[insert]]\nbarrier = "one-final"\nfinal = ["one"]\nafter = "a"\n'
    found = load(tmp_path, own + '[[remove]]\nname = "two-final"\n')
    assert order(found) == ["a", "one-final", "b", "c", "end"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[insert]]\nbarrier = ""\nafter = "a"\n', 3, "a barrier without a name"),
        ('[[insert]]\nbarrier = "end"\nafter = "a"\n', 3, 'the name "end" is taken'),
        ('[[insert]]\nname = "end"\nafter = "a"\n', 3, 'the name "end" is taken'),
        ('[[insert]]\nbarrier = "x"\nwhen = { s = true }\nafter = "a"\n', 4, "of a barrier"),
        (
            '[[insert]]\nbarrier = "x"\nfinal = "one"\nafter = "a"\n',
            4,
            "expected a list of strings",
        ),
        ('[[insert]]\nbarrier = "x"\nfinal = [1]\nafter = "a"\n', 4, "expected a list of strings"),
        ('[[replace]]\nname = "end"\nby = "reads"\n', 3, "end is a barrier"),
        ('[[insert]]\nname = "reads"\nafter = "two-fnal"\n', 4, 'no pass "two-fnal"'),
    ],
)
def test_what_is_wrong_with_a_barrier(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(PipelineError) as caught:
        load(tmp_path, text)
    assert said in caught.value.message
    assert caught.value.remedy
    assert not line or (caught.value.file, caught.value.line) == (str(tmp_path / "p.toml"), line)


@pytest.mark.parametrize("path", ["one.", "one..z", ".one", ""])
def test_what_is_final_has_a_name(tmp_path: Path, path: str) -> None:
    text = f'[[insert]]\nbarrier = "x"\nfinal = ["{path}"]\nafter = "a"\n'
    with pytest.raises(PipelineError, match="which names nothing") as caught:
        make_plan(load(tmp_path, text), catalog(A, B, C))
    assert caught.value.line == 4


@pytest.mark.parametrize(("final", "ok"), [("one.part", True), ("three", False), ("on", False)])
def test_what_is_final_is_a_fact_that_is_there(tmp_path: Path, final: str, ok: bool) -> None:
    text = f'[[insert]]\nbarrier = "x"\nfinal = ["{final}"]\nafter = "a"\n'
    pipeline, known = load(tmp_path, text), catalog(A, B, C)
    if ok:
        make_plan(pipeline, known)
        return
    with pytest.raises(PipelineError, match="no pass before it provides such a fact") as caught:
        make_plan(pipeline, known)
    assert caught.value.line == 4


def test_barriers_count_the_passes_that_the_flags_leave(tmp_path: Path) -> None:
    base = BASE.replace('name = "b"\n', 'name = "b"\nwhen = { s = true }\n').replace(steps("c"), "")
    pipeline, known = load(tmp_path, base=base), catalog(A, B)
    plans = [make_plan(pipeline, known, Options(s=s)) for s in (True, False)]
    assert [plan.barriers[0].at for plan in plans] == [2, 1]
    assert [barrier.name for barrier in plans[0].until("a").barriers] == []


def test_an_insert_without_a_place_is_told_where_it_may_stand(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="needs one of `after` and `before`") as caught:
        load(tmp_path, '[[insert]]\nname = "reads"\n')
    assert "from `after b` to `after c`; places there: b, two-final, c, end" in caught.value.remedy


CHANGES = setter("changes", ("one",), ("one",))


@pytest.mark.parametrize("final", ["one", "one.part"])
def test_places_end_at_the_barrier_that_makes_it_final(tmp_path: Path, final: str) -> None:
    """What it would change there, or behind it, has been used."""
    base = BASE.replace('final = ["two"]', f'final = ["{final}"]')
    (tmp_path / "base.toml").write_text(base)
    (tmp_path / "p.toml").write_text('extends = "base.toml"\n[[insert]]\nname = "changes"\n')
    with pytest.raises(PipelineError) as caught:
        load_pipeline(str(tmp_path / "p.toml"), catalog(A, B, C, CHANGES))
    told = "from `after a` to `before two-final`; places there: a, b"
    assert caught.value.remedy.endswith(told)


def test_who_was_put_behind_such_a_barrier_is_named(tmp_path: Path) -> None:
    known = catalog(A, B, C, READS, CHANGES)

    def told(text: str, base: str = BASE.replace('["two"]', '["one.part"]')) -> list[str]:
        (tmp_path / "base.toml").write_text(base)
        (tmp_path / "p.toml").write_text(f'extends = "base.toml"\n{text}')
        return list(misplaced(make_plan(load_pipeline(str(tmp_path / "p.toml")), known)))

    at = '[[insert]]\nname = "{}"\n{} = "two-final"\n'
    (words,) = told(at.format("changes", "after"))
    assert words.startswith("changes stands behind two-final, where one.part shall be final")
    assert f"put it before two-final ({tmp_path}/p.toml:2), or, if it changes other parts" in words
    assert "name them in its `changes=` (" in words
    assert not told(at.format("changes", "before"))
    assert not told(at.format("reads", "after"))
    # Who wrote the barrier knows what stands behind it, and who replaces that what it does.
    own = BASE.replace('["two"]', '["one.part"]') + steps("changes")
    assert not told("", own)
    assert not told('[[replace]]\nname = "changes"\nwhy = "w"\n', own)


PART = setter("changes", ("one",), ("one",), changes=("one.part",))


def test_a_pass_that_changes_a_part_is_misplaced_where_that_is_final(tmp_path: Path) -> None:
    """Or the whole, or a part of it; what else is final does not matter to it."""
    known = catalog(A, B, C, PART)
    at = '[[insert]]\nname = "changes"\n{} = "two-final"\n'
    for final, expected in (
        ("one.other", False),
        ("one.partly", False),
        ("one.part", True),
        ("one.part.of", True),
        ("one", True),
    ):
        base = BASE.replace('final = ["two"]', f'final = ["{final}"]')
        plan = make_plan(load(tmp_path, at.format("after"), base), known)
        assert bool(list(misplaced(plan))) is expected, final
        plan = make_plan(load(tmp_path, at.format("before"), base), known)
        last = next(each.last for each in standings(plan) if each.name == "changes")
        assert last == ("b" if expected else "c"), final


MAYBE = setter("maybe", (), ("own",), optional=("two",))


def test_a_pass_that_reads_before_there_is_anything_is_told_where_that_is(tmp_path: Path) -> None:
    """What it reads where it is there, in the plan, and without a place in the error."""
    known = catalog(A, B, C, MAYBE)

    def told(text: str, base: str = BASE) -> list[str]:
        (tmp_path / "base.toml").write_text(base)
        (tmp_path / "p.toml").write_text(f'extends = "base.toml"\n{text}')
        return list(misplaced(make_plan(load_pipeline(str(tmp_path / "p.toml"), known), known)))

    at = '[[insert]]\nname = "maybe"\n{} = "{}"\n'
    (words,) = told(at.format("before", "b"))
    assert words == (
        "maybe reads two where it is there, and stands before all that set it (b): it will find "
        f"none; put it after two-final ({tmp_path}/p.toml:2)"
    )
    # What no barrier makes final changes further on, and one may come before all of that.
    assert not told(at.format("before", "b"), BASE.replace('["two"]', '["one"]'))
    assert not told(at.format("after", "b"))
    # Whoever wrote the whole knows, and what nobody sets is nothing to wait for.
    assert not told("", steps("maybe") + BASE)
    assert not told(at.format("after", "a"), steps("a"))
    with pytest.raises(PipelineError) as caught:
        told('[[insert]]\nname = "maybe"\n')
    end = "; `two`, which it reads where it is there, is there after two-final"
    assert caught.value.remedy.endswith(end)


def test_of_the_default_pipeline(tmp_path: Path) -> None:
    """A real pass, among real ones: its barriers are told."""
    (tmp_path / "p.toml").write_text('extends = "default"\n[[remove]]\nname = "relro"\n'
                                     '[[insert]]\nname = "relro"\n')  # fmt: skip
    with pytest.raises(PipelineError) as caught:
        load_pipeline(str(tmp_path / "p.toml"), Catalog())
    assert "symbols-final" in caught.value.remedy


def test_why_each_stands_where_it_does(tmp_path: Path) -> None:
    text = '[[insert]]\nname = "reads"\nafter = "two-final"\n'
    a, b, reads, _ = standings(make_plan(load(tmp_path, text), catalog(A, B, C, READS)))
    assert (a.behind, a.needs, a.feeds, a.first) == ("", {}, {"one": "b"}, "")
    assert (b.needs, b.first, b.last) == ({"one": ("a",)}, "a", "a")
    assert (reads.behind, reads.needs, reads.feeds) == ("two-final", {"two": ("b",)}, {"own": ""})
    assert (reads.first, reads.last) == ("b", "c")
    assert reads.where == f"{tmp_path}/p.toml:2"


def turns(passes: Sequence[Planned], name: str) -> list[tuple[str, list[str], list[str]]]:
    """For each fact that a pass reads or sets: who sets it before, and who has to do with it
    behind the pass."""
    at = next(number for number, planned in enumerate(passes) if planned.name == name)
    run = passes[at].run
    found = []
    for fact in sorted({*run.access.reads, *run.provides}):
        around = [
            [
                other.name
                for other in part
                if fact in other.run.provides
                or (fact in run.provides and fact in other.run.access.reads)
            ]
            for part in (passes[:at], passes[at + 1 :])
        ]
        found.append((fact, around[0], around[1]))
    return found


def test_real_passes_may_stand_at_their_first_and_last_place() -> None:
    """There the plan is sound, and each fact is set and read in the same turn as before."""
    known = Catalog()
    plan = make_plan(load_pipeline(), known)
    for number, each in enumerate(standings(plan)):
        others = [planned for planned in plan.passes if planned.name != each.name]
        names = [planned.name for planned in others]
        for place in {each.first, each.last}:
            at = names.index(place) + 1 if place else 0
            moved = [*others[:at], plan.passes[number], *others[at:]]
            check_facts(moved, {}, known)
            assert turns(moved, each.name) == turns(plan.passes, each.name), (each.name, place)


def test_places_that_are_told_keep_off_others_and_barriers(tmp_path: Path) -> None:
    """A pass is not told to stand before one that reads or sets what it sets, nor behind the
    barrier that makes that final."""
    base = steps("a", "b", "changes") + '[[pass]]\nbarrier = "one-final"\nfinal = ["one"]\n'
    (tmp_path / "p.toml").write_text(base + steps("c"))
    known = catalog(A, B, C, CHANGES)
    changes = standings(make_plan(load_pipeline(str(tmp_path / "p.toml")), known))[2]
    assert (changes.first, changes.last) == ("b", "b")


def test_barriers_of_the_default_pipeline_say_why() -> None:
    barriers = load_pipeline().barriers
    assert all(each.why and each.final for each in barriers)
