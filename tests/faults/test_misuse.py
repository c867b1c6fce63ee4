"""Mistakes of who writes pipelines, flags and plugins: the culprit is named, with the file and the
line where there is one; there is no traceback, and no output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.faults.links import OLD, link

EXTENDS = 'extends = "default"\n'
INSERT = EXTENDS + '[[insert]]\nname = "own"\nafter = "reach-final"\n'

NONE: Mapping[str, str] = MappingProxyType({})

PIPELINES: Mapping[str, tuple[str, int, str]] = MappingProxyType(
    {
        "no TOML": ("[[pass]\n", 1, "not a TOML file"),
        "empty": ("", 1, "has no passes"),
        "unknown table": ("[[passes]]\n", 1, "unknown key `passes`"),
        "unknown key": (INSERT + "wen = 3\n", 5, "unknown key `wen` in [[insert]]"),
        "name is a number": (EXTENDS + "[[remove]]\nname = 7\n", 3, "expected a string, found 7"),
        "name is a list": (EXTENDS + "[[remove]]\nname = []\n", 3, "expected a string"),
        "no name": (EXTENDS + "[[insert]]\nafter = 'load'\n", 2, "no `name`"),
        "table, no list": (EXTENDS + "[insert]\nname = 'own'\n", 2, "`insert` is not a list"),
        "list of numbers": (EXTENDS + "remove = [1]\n", 2, "expected a table, found 1"),
        "why is a date": (INSERT + "why = 2020-01-01\n", 5, "`why`: expected a string"),
        "why is nan": (INSERT + "why = nan\n", 5, "`why`: expected a string"),
        "no place": (EXTENDS + "[[insert]]\nname = 'own'\n", 2, "needs one of `after`"),
        "two places": (INSERT + "before = 'output'\n", 2, "needs one of `after` and `before`"),
        "no such anchor": (
            EXTENDS + "[[insert]]\nname = 'own'\nafter = 'laod'\n", 4, 'no pass "laod" here'),
        "after itself": (
            EXTENDS + "[[insert]]\nname = 'own'\nafter = 'own'\n", 4, 'no pass "own" here'),
        "remove what is not there": (EXTENDS + "[[remove]]\nname = 'own'\n", 3, 'no pass "own"'),
        "replace what is not there": (EXTENDS + "[[replace]]\nname = 'owm'\n", 3, 'no pass "owm"'),
        "replace a barrier": (EXTENDS + "[[replace]]\nname = 'reach-final'\n", 3, "is a barrier"),
        "by nobody": (
            EXTENDS + "[[replace]]\nname = 'load'\nby = 'lod'\n", 4, 'unknown pass "lod"'),
        "twice": (INSERT + INSERT.partition("\n")[2], 6, '"own" stands twice'),
        "unknown pass": (INSERT.replace('"own"', '"ownn"'), 3, 'unknown pass "ownn"'),
        "removed and needed": (
            EXTENDS + "[[remove]]\nname = 'load'\n", 3, "the pass linkmode requires it"),
        "no output": (
            EXTENDS + "[[remove]]\nname = 'output'\n", 3,
            "provides the fact `output`, is taken out"),
        "too early": (
            EXTENDS + "remove = [{ name = 'relocate' }]\n"
            "[[insert]]\nname = 'relocate'\nbefore = 'load'\n",
            4,
            "requires the fact",
        ),
        "extends itself": ('extends = "p.toml"\n', 1, "extends itself"),
        "extends nobody": ('extends = ["default", "acme"]\n', 1, 'unknown pipeline "acme"'),
        "extends a missing file": ("\nextends = './no.toml'\n", 2, "no.toml: no such file"),
        "extends a number": ("extends = 3\n", 1, "`extends` is not a path"),
        "extends a folder": ("extends = './'\n", 1, "is a directory"),
        "when is no table": (INSERT + "when = 'exe'\n", 5, "`when`: expected a table"),
        "unknown condition": (
            INSERT + "when = { bildmode = ['exe'] }\n", 5, "unknown condition `bildmode`"),
        "impossible condition": (
            INSERT + "when = { buildmode = ['exee'] }\n", 5, "no buildmode 'exee'"),
        "condition of another type": (
            INSERT + "when = { w = 'no' }\n", 5, "`w` for the pass own: expected bool, found 'no'"),
        "empty condition": (INSERT + "when = { buildmode = [] }\n", 5, "would never run"),
        "unknown option": (INSERT + "options = { txt = 'x' }\n", 5, "unknown option `txt`"),
        "option of another type": (INSERT + "options = { times = 'x' }\n", 5, "expected int"),
        "option is true": (INSERT + "options = { times = true }\n", 5, "expected int, found True"),
        "options are no table": (INSERT + "options = 3\n", 5, "`options`: expected a table"),
        "options of a pass that has none": (
            EXTENDS + "[[replace]]\nname = 'load'\noptions = { x = 1 }\n", 4,
            "the pass load has no options"),
        "barrier without a name": (
            EXTENDS + "[[insert]]\nbarrier = 3\nafter = 'load'\n", 3, "expected a string"),
        "barrier that is there": (
            EXTENDS + "[[insert]]\nbarrier = 'reach-final'\nafter = 'load'\n", 3,
            '"reach-final" is taken'),
        "nothing is final": (
            EXTENDS + "[[insert]]\nbarrier = 'b'\nafter = 'load'\nfinal = ['nosuch']\n",
            5,
            "`nosuch` is final, and no pass before it provides",
        ),
    }
)  # fmt: skip
"""Pipeline file, line, what is said."""

FLAGS: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "unknown pass": (("-pass", "nosuch@load"), 'unknown pass "nosuch"'),
        "unknown place": (("-pass", "own@nosuch"), 'no pass "nosuch" here'),
        "no place": (("-pass", "own"), "-pass own does not say after what"),
        "no name": (("-pass=@load",), '"@load" does not say which pass'),
        "no value": (("-pass", "own@load:text"), "expected key=value"),
        "twice": (("-pass", "own@load:text=a,text=b"), "text twice"),
        "unknown option": (("-pass", "own@load:txt=a"), "unknown option `txt`"),
        "option of another type": (
            ("-pass", "own@load:times=a"),
            "expected int, found 'a' @ .times",
        ),
        "skip what is not there": (("-skip-pass", "nosuch"), 'no pass "nosuch" here'),
        "skip what is needed": (("-skip-pass", "load"), "the pass linkmode requires it"),
        "until nobody": (("-until", "nosuch"), 'this link has no pass "nosuch"'),
        "unknown plugin": (("-disable-plugin", "nosuch"), 'no plugin "nosuch" is installed'),
        "linkpipe itself": (("-disable-plugin", "linkpipe"), "linkpipe itself"),
        "unknown observer": (("-observe", "nosuch"), 'unknown observer "nosuch"'),
        "observer's option": (("-observe", "dump:dri=x"), "unknown option `dri`"),
        "observer without a name": (("-observe", ":dir=x"), "is no name of an observer"),
        "format": (("-observe", "dump:dir=d,format=nosuch"), 'unknown dumper "nosuch"'),
        "no regular expression": (("-observe", "dump:dir=d,match=("), "no regular expression"),
        "no pipeline": (("-pipeline", "no.toml"), "no.toml: no such file or directory"),
        "a folder": (("-pipeline", "."), "pipeline .: is a directory"),
        "release": (("-release", "9.99"), 'unknown release "9.99"'),
    }
)
"""Flags, what is said."""

PLUGINS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "returns nothing": ("    return None", "pass own: returned NoneType, not a Link"),
        "returns another thing": ("    return {}", "pass own: returned dict, not a Link"),
        "raises BaseException": (
            "    raise type('Bye', (BaseException,), {})", "pass own: crashed with Bye"),
        "exits": ("    raise SystemExit(0)", "pass own: crashed with SystemExit: 0"),
        "recurses": ("    return own.run(link, options)", "pass own: crashed with RecursionError"),
        "a fact that it does not read": (
            "    return link.sections", "reads the fact 'sections', which it has not"),
        "a fact that is not": (
            "    return link.fact('nosuch')", "reads the fact 'nosuch', which it has not"),
        "an attribute that is not": ("    return link.symbolz", "no attribute 'symbolz'"),
        "sets what it has not declared": (
            "    return link.evolve(image=link.symbols)",
            "sets the fact 'image', which it has not"),
        "sets nothing": ("    return link", "did not set the fact `own.done`"),
        "sets it to None": (
            "    return link.evolve({'own.done': None})", "`own.done` to a value of type NoneType"),
        "changes the link": ("    link.facts['own.done'] = 1", "pass own: crashed with TypeError"),
        "writes into an array": (
            "    link.symbols.size[0] = 1", "pass own: crashed with ValueError"),
        "makes an array writable": (
            "    link.symbols.size.setflags(write=True)", "cannot set WRITEABLE flag"),
        "sets an attribute": (
            "    link.symbols.size = 1", "pass own: crashed with FrozenInstanceError"),
        "leaves an edit open": (
            "    link.symbols.edit().set(1, size=3)\n    return link", "did not set the fact"),
        "loses facts": ("    return type(link)({'own.done': 1})", "lost the fact"),
    }
)  # fmt: skip
"""Body of a pass, what is said."""

MODULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no module": ("import nosuch_module", "cannot load pass own of own 1: ModuleNotFound"),
        "a syntax error": ("def own(:", "cannot load pass own of own 1: SyntaxError"),
        "no such name": ("other = 1", "cannot load pass own of own 1: AttributeError"),
        "a function": (
            "def own(link): return link", "own_pass:own of own 1 is no pass but function"),
        "a class": ("class own: pass", "own_pass:own of own 1 is no pass but type"),
        "None": ("own = None", "own_pass:own of own 1 is no pass but NoneType"),
        "requires is a string": (
            "@linkpass(name='own', requires='symbols')\ndef own(link): ...", "string 'symbols'"),
        "options are no class": (
            "@linkpass(name='own', options=dict)\ndef own(link, options): ...", "attrs class"),
        "an option without a default": (
            """
@attrs.frozen
class O:
    x: int

@linkpass(name='own', options=O)
def own(link, options): ...""",
            "TypeError: O.__init__() missing 1 required",
        ),
        "inputs that are no options": (
            "@linkpass(name='own', inputs=('x',))\ndef own(link): ...", "input 'x'"),
        "changes what it does not set": (
            "@linkpass(name='own', changes=('symbols.size',))\ndef own(link): ...",
            "'symbols.size' in `changes`"),
        "always is no word": (
            "@linkpass(name='own', alwys=True)\ndef own(link): ...", "argument 'alwys'"),
        "another API": ("from linkpipe.api import require\nrequire('9.0')", "linkpipe.api 9.0"),
        "wraps nobody": (
            "own = wrapping('nosuch', name='own')(lambda l, s: l)", 'unknown pass "nosuch"'),
        "requires what nobody provides": (
            "@linkpass(name='own', requires=('nosuch',))\ndef own(link): ...",
            "requires the fact `nosuch`, which no pass"),
        "takes no link": (
            "@linkpass(name='own')\ndef own(): ...", "pass own: crashed with TypeError"),
        "exits when it is imported": ("raise SystemExit(0)", "own of own 1: SystemExit"),
        "leaves when it is imported": ("raise GeneratorExit", "own of own 1: GeneratorExit"),
    }
)  # fmt: skip
"""Module of a pass, what is said."""

HEAD = "import attrs\nfrom linkpipe.api import Link, linkpass, wrapping\n"
BODY = (
    "\n@attrs.frozen\nclass Options:\n    text: str = ''\n    times: int = 1\n\n"
    "@linkpass(name='own', requires=('symbols',), provides=('own.done',), options=Options)\n"
    "def own(link, options):\n"
)


def install(folder: Path, module: str) -> None:
    info = folder / "own-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("")
    (info / "entry_points.txt").write_text("[linkpipe.passes]\nown = own_pass:own\n")
    (folder / "own_pass.py").write_text(f"{HEAD}{module}\n")


def refused(folder: Path, *flags: str) -> str:
    """What a link says that fails as it should."""
    done = link(folder, "-w", *flags)
    assert done.status in (1, 2), done
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    assert (folder / "out").read_text() == OLD
    assert done.err.strip()
    return done.err


@pytest.mark.parametrize(("text", "line", "said"), PIPELINES.values(), ids=PIPELINES.keys())
def test_a_pipeline(folder: Path, text: str, line: int, said: str) -> None:
    install(folder, f"{BODY}    return link.evolve({{'own.done': 1}})")
    (folder / "p.toml").write_text(text)
    first, *more = refused(folder, "-pipeline=p.toml").splitlines()
    assert re.match(rf"linkpipe: (.*/)?p\.toml:{line}: ", first), first
    assert said in first
    assert any(each.startswith("\t") for each in more), "no remedy"


@pytest.mark.parametrize(("flags", "said"), FLAGS.values(), ids=FLAGS.keys())
def test_flags(folder: Path, flags: tuple[str, ...], said: str) -> None:
    install(folder, f"{BODY}    return link.evolve({{'own.done': 1}})")
    assert said in refused(folder, *flags).partition("\n")[0]


@pytest.mark.parametrize(("body", "said"), PLUGINS.values(), ids=PLUGINS.keys())
def test_a_pass(folder: Path, body: str, said: str) -> None:
    """Named with its package, and its line where it crashed."""
    install(folder, BODY + body)
    told = refused(folder, "-pass", "own@reach-final")
    assert said in told.partition("\n")[0]
    assert told.startswith("linkpipe: pass own: ")
    assert "\towner: own 1\n" in told
    if "crashed" in told and "RecursionError" not in told:
        assert re.search(r"\tat: .*own_pass\.py:\d+\n", told)


@pytest.mark.parametrize(("module", "said"), MODULES.values(), ids=MODULES.keys())
def test_a_module(folder: Path, module: str, said: str) -> None:
    install(folder, module)
    assert said in refused(folder, "-pass", "own@reach-final").partition("\n")[0]
