"""Observers and their options, as flags and variables write them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs
import pytest

from linkpipe.engine.entrypoints import scan
from linkpipe.engine.hookspecs import Offer, hookimpl
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.runner import Observer
from linkpipe.errors import LinkpipeError, OptionError, UserError
from linkpipe.flags.settings import Request, Settings, from_environment
from linkpipe.observe.dump import Dump, DumpOptions
from linkpipe.observe.dump import asked as written
from linkpipe.observe.requests import identity, make


@attrs.frozen
class WatchOptions:
    file: str = "out"
    loud: bool = False
    most: int = 3
    facts: tuple[str, ...] = ()


class Watch(Observer):
    options = WatchOptions

    def __init__(self, options: WatchOptions) -> None:
        self.told = options


class Plain(Observer):
    @property
    def wants_link(self) -> bool:
        return False


class Plugin:
    @hookimpl
    def linkpipe_observers(self) -> list[Offer]:
        things: Mapping[str, Any] = {"watch": Watch, "plain": Plain, "odd": len}
        return [Offer(name, "acme 1", partial(things.__getitem__, name)) for name in things]


CATALOG = Catalog((), {"acme": Plugin()})


def asked(*texts: str, **settings: Any) -> tuple[Request, ...]:
    return Settings(observe=texts, **settings).requests()


def test_options_are_typed() -> None:
    (watch,) = make(asked(r"watch:file=a\,b=c,loud=true,most=7,facts=symbols+relocs"), CATALOG)
    assert isinstance(watch, Watch)
    assert watch.told == WatchOptions("a,b=c", True, 7, ("symbols", "relocs"))


def test_options_have_defaults() -> None:
    watch, plain = make(asked("watch", "plain"), CATALOG)
    assert isinstance(watch, Watch)
    assert watch.told == WatchOptions()
    assert isinstance(plain, Plain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("watch:lod=true", "unknown option `lod` for the observer watch"),
        ("watch:lod=true", "did you mean loud? it has: file, loud, most, facts"),
        ("watch:loud=yes", "options of the observer watch: expected bool, found 'yes'"),
        ("watch:most=x", "options of the observer watch: expected int, found 'x'"),
        ("plain:a=b", "unknown option `a`: the observer plain has no options"),
        ("wacth", 'unknown observer "wacth"\n\tdid you mean watch?'),
        ("odd", "odd of acme 1 is no class of observers"),
        ("watch:loud", 'expected key=value, found "loud"'),
        ("watch:", 'expected key=value, found ""'),
        ("watch:most=1,most=2", "expected key=value, found most twice"),
        ("watch=out", "write NAME or NAME:key=value"),
        ("", '"" is no name of an observer'),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(LinkpipeError) as caught:
        make(asked(text), CATALOG)
    assert message in caught.value.render()
    assert caught.value.exit_status == 2


def test_short_flags_are_short_for_an_observer() -> None:
    settings = Settings(time=True, timing="t", dump="d", log=True, observe=("x:a=b",))
    assert settings.requests() == (
        Request("dump", {"dir": "d"}),
        Request("log"),
        Request("timing"),
        Request("timing", {"file": "t"}),
        Request("x", {"a": "b"}),
    )
    built_in = Catalog([entry for entry in scan() if entry.dist == "linkpipe"])
    assert len(make(settings.requests()[:-1], built_in)) == 4


def test_a_variable_holds_several_with_quotes_for_spaces() -> None:
    variables = {"LINKPIPE_OBSERVE": "watch:file=a,most=1 'plain:file=b c'"}
    assert from_environment(variables) == {"observe": ("watch:file=a,most=1", "plain:file=b c")}
    with pytest.raises(OptionError, match="LINKPIPE_OBSERVE: unterminated"):
        from_environment({"LINKPIPE_OBSERVE": "'x"})


def test_what_prints_is_a_new_link_each_time() -> None:
    """And one that does not is the same link while it is asked for in the same words."""
    assert identity(asked("plain"), CATALOG) == identity(asked("plain"), CATALOG) != ""
    assert identity(asked("watch"), CATALOG) != identity(asked("watch"), CATALOG)


def test_the_dump_needs_a_directory_and_a_pattern_that_is_one() -> None:
    built_in = Catalog([entry for entry in scan() if entry.dist == "linkpipe"])
    for text, message in (("dump", "dir: "), ("dump:dir=x,match=(", "no regular expression")):
        with pytest.raises(UserError, match=message):
            make(asked(text), built_in)


def test_the_dump_says_how_it_was_asked_for() -> None:
    """The command in a dump's header is one that makes the dump again."""
    wanted = DumpOptions("a,b", "^x,y$", ("jsonl",), ("symbols", "relocs"), ("load",), all=True)
    built_in = Catalog([entry for entry in scan() if entry.dist == "linkpipe"])
    (again,) = make(asked(written(wanted)), built_in)
    assert isinstance(again, Dump)
    assert again.wanted == wanted
