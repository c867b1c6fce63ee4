"""The reference pages of the site (tools/site.py), made of the code: nothing here is written by
hand. Those that are read beside the other pages, without the site, stand in docs/reference, too:

    python -m tools.reference       # writes these; a test holds them to the code
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import click
import numpy as np

from linkpipe import api
from linkpipe.arch import Architecture
from linkpipe.arrays.types import element_of
from linkpipe.ask.explain import PAGES as ERRORS
from linkpipe.cli._group import whole
from linkpipe.engine import hookspecs
from linkpipe.engine.context import GIVEN
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.places import Standing, standings
from linkpipe.engine.plan import Plan, Planned, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.flags.options import FLAGS, Options
from linkpipe.flags.settings import FIELD_OF, OWN_FLAGS, Settings
from linkpipe.observe.dump import Dumper
from linkpipe.observe.facttypes import declared_facts, spelled
from linkpipe.release import Release
from tools import essays, schemas

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
SHIPPED = ("api", "barriers", "facts", "hooks", "passes", "tables")
"""Pages for who writes passes."""


def pages() -> dict[str, str]:
    """Every page of the reference: its name in the site -> Markdown."""
    plan = default_plan()
    found = {
        "reference/passes": passes(plan),
        "reference/barriers": barriers(plan),
        "reference/facts": facts(plan),
        "reference/tables": tables(plan),
        "reference/hooks": hooks(),
        "reference/api": promised(),
        "reference/flags": flags(),
        "reference/commands": commands(),
        "reference/schemas": forms(),
        "errors/index": errors(),
    }
    about = {each.name: each for each in standings(plan)}
    for planned in plan.passes:
        text = one_pass(plan, planned, about[planned.name])
        found[f"reference/passes/{planned.name}"] = text
    for name, command in _commands():
        found[f"reference/commands/{name}"] = one_command(name, command)
    return found


def shipped() -> dict[Path, str]:
    """The pages that stand in docs/reference; links to what stands on the site alone are words."""
    found = pages()

    def one(match: re.Match[str]) -> str:
        words, target = match.groups()
        file = FOLDER / target.partition("#")[0]
        return match[0] if file.stem in SHIPPED or file.exists() else words

    return {
        FOLDER / f"{name}.md": re.sub(r"\[([^\[\]]+)\]\((?!\w+:)([^()\s]+)\)", one, text)
        for name in SHIPPED
        for text in (found[f"reference/{name}"],)
    }


@cache
def default_plan() -> Plan:
    """The whole default pipeline, whatever the flags."""
    return make_plan(load_pipeline("", Catalog()), Catalog())


# --- passes, facts, barriers


def passes(plan: Plan) -> str:
    """All passes in order, with the barriers between them."""
    lines = [
        "# Passes",
        (
            "The default pipeline, top to bottom. A pass in *italics* runs only in some links; "
            "its page says in which. `linkpipe passes` prints the same for your own pipeline, "
            "and behind `--` for the flags of one link."
        ),
    ]
    rows: list[tuple[str, ...]] = []
    for number, planned in enumerate(plan.passes):
        rows += [
            (f"**[{barrier.name}](barriers.md#{barrier.name})**", _text(barrier.why), "", "")
            for barrier in plan.barriers
            if barrier.at == number
        ]
        link = f"[{planned.name}](passes/{planned.name}.md)"
        name = f"*{link}*" if planned.step.when else link
        reads = _facts((*planned.run.requires, *planned.run.optional), "")
        rows.append((name, _text(planned.step.why), reads, _facts(planned.run.provides, "")))
    return _page(*lines, _table(("pass", "why it is there", "reads", "sets"), rows))


def one_pass(plan: Plan, planned: Planned, standing: Standing) -> str:
    """One pass: its essay, and what its declaration and its place say."""
    run = planned.run
    essay = inspect.getdoc(import_module(f"linkpipe.passes.{planned.name}")) or ""
    title, _, text = essay.partition("\n")
    text = essays.LAST.sub("\n", f"{text}\n")
    at = plan.passes.index(planned)
    before = plan.passes[at - 1].name if at else ""
    after = plan.passes[at + 1].name if at + 1 < len(plan.passes) else ""
    behind = standing.behind
    rows = [
        ("why it is there", planned.step.why),
        ("stands behind", _pass(before) or "the beginning"),
        ("stands before", _pass(after) or "the end"),
        ("last barrier before it", f"[{behind}](../barriers.md#{behind})" if behind else "none"),
        ("could stand from", f"behind {_pass(standing.first)}" if standing.first else "the start"),
        ("could stand until", f"behind {_pass(standing.last)}" if standing.last else "the start"),
        ("runs when", _when(planned.step.when)),
        ("requires", _facts(run.requires, "../")),
        ("reads if it is there", _facts(run.optional, "../")),
        ("provides", _facts(run.provides, "../")),
        ("changes of that only", ", ".join(_part(path, "../") for path in run.changes)),
        ("options", _options(run.options)),
        ("its file", f"`passes/{planned.name}.py`"),
    ]
    table = _table(("", ""), [(name, value) for name, value in rows if value])
    summary = title.partition(": ")[2]
    return _page(f"# {planned.name}", f"**{summary[:1].upper()}{summary[1:]}**", text, table)


def barriers(plan: Plan) -> str:
    """The barriers of the default pipeline."""
    parts = [
        "# Barriers",
        (
            "A barrier is a place in the pipeline with a name. What it lists as final no pass "
            "behind it changes; with `-check` that is held. Inserts name barriers rather than "
            "passes, because passes are renamed and split, and barriers stay."
        ),
    ]
    for barrier in plan.barriers:
        before = plan.passes[barrier.at - 1].name
        after = [planned.name for planned in plan.passes[barrier.at :][:1]]
        where = f" and before [{after[0]}](passes/{after[0]}.md)" if after else ", at the end"
        final = ", ".join(_part(path, "") for path in barrier.final)
        parts += [
            f"## {barrier.name}",
            f"{barrier.why[:1].upper()}{barrier.why[1:]}.",
            (
                f"It stands behind [{before}](passes/{before}.md){where}. "
                f"Final from here on: {final}."
            ),
        ]
    return _page(*parts)


def facts(plan: Plan) -> str:
    """Every fact that a Link has a name for."""
    parts = [
        "# Facts",
        (
            "What is known about a link, by name. A pass reads those that it requires as "
            "attributes of the Link (`link.symbols`) and sets those that it provides. The first "
            "ones are given to every pass without asking. Facts of third parties have dotted "
            'names and are read with `link.fact("acme.count")`.'
        ),
    ]
    for name, kind in declared_facts().items():
        setters = [p.name for p in plan.passes if name in p.run.provides]
        readers = [p.name for p in plan.passes if name in p.run.requires + p.run.optional]
        given = name in GIVEN
        rows = [
            ("type", _kind(kind)),
            ("set by", "given, any pass may read it" if given else _linked(setters)),
            ("read by", "" if given else _linked(readers) or "no pass of the default pipeline"),
        ]
        cls = _class_of(kind)
        about = (inspect.getdoc(cls) if cls else "") or ""
        first = " ".join(about.partition("Attributes:")[0].split("\n\n")[0].split())
        parts += [f"## {name}", first, _table(("", ""), [row for row in rows if row[1]])]
    return _page(*parts)


# --- tables


def tables(plan: Plan) -> str:
    """The classes of the values that facts hold, with their fields."""
    parts = [
        "# Tables and columns",
        (
            "The classes of the facts' values, and of what these hold. A column is a numpy "
            "array; its type stands beside it, `int64[n]` in the text is its type and how many "
            "rows it has. How tables are read and changed: [tables](../tables.md)."
        ),
        (
            "*Final from* is the [barrier](barriers.md) behind which no pass changes a field, or "
            "the last pass that sets the fact. What is final early is there earlier, and may "
            "change: addresses, say, are not known before `addresses` has run."
        ),
    ]
    places = _places()
    for cls in _classes():
        text = inspect.getdoc(cls) or ""
        first, _, about = text.partition("Attributes:\n")
        words = schemas.words(about)
        if cls is api.Symbols:
            words |= _column_words()
        rows = [
            (
                f"`{field.name}`",
                _kind(_hints(cls)[field.name]),
                _text(words.get(field.name, "")),
                _final_from(plan, f"{places[cls]}.{field.name}"),
            )
            for field in attrs.fields(cls)
            if not field.name.startswith("_")
        ]
        head = ("field", "type", "what", "final from")
        parts += [
            f"## {cls.__name__}",
            " ".join(first.split()),
            f"Where it is: `{places[cls]}`.",
            _table(head, rows),
        ]
        if cls is api.Symbols:
            parts += ["The bits of `flags`, names of `linkpipe.api.Flag`:", _flag_words()]
    return _page(*parts)


def _final_from(plan: Plan, path: str) -> str:
    """From where on a part of a fact is not changed any more, with a link."""
    for barrier in plan.barriers:
        if any(path == each or path.startswith(f"{each}.") for each in barrier.final):
            return f"[{barrier.name}](barriers.md#{barrier.name})"
    fact = path.partition(".")[0]
    setters = [each.name for each in plan.passes if fact in each.run.provides]
    return f"behind {_linked(setters[-1:])}" if setters else "the beginning"


def _flag_words() -> str:
    """The bits of the flags column, with what is said of each below it."""
    from linkpipe.tables import symbolcolumns

    source = inspect.getsource(symbolcolumns.Flag)
    found = re.findall(r'^    (\w+) = 1 << (\d+)\n(?:    """(.*?)""")?', source, re.MULTILINE)
    return _table(("bit", "name", "what"), [(at, f"`{name}`", what) for name, at, what in found])


@cache
def _places() -> Mapping[type, str]:
    """The attrs classes of the package's tables that facts lead to, in order of finding, each with
    where in a fact its values are first found: "sections.items"."""
    found: dict[type, str] = {}
    todo = [(kind, name) for name, kind in declared_facts().items()]
    while todo:
        kind, path = todo.pop(0)
        todo += [(part, path) for part in get_args(kind)]
        module = kind.__module__ if isinstance(kind, type) else ""
        if module.startswith("linkpipe.tables.") and attrs.has(kind) and kind not in found:
            found[kind] = path
            todo += [
                (_hints(kind)[each.name], f"{path}.{each.name}") for each in attrs.fields(kind)
            ]
    return found


def _classes() -> tuple[type, ...]:
    return tuple(_places())


def _column_words() -> dict[str, str]:
    """What is said of each column of the symbol table, beside it in the schema."""
    from linkpipe.tables import symbolcolumns

    source = inspect.getsource(symbolcolumns)
    return dict(re.findall(r'^ +"(\w+)": np\.\w+,  # (.*)$', source, re.MULTILINE))


# --- what plugins write against


def hooks() -> str:
    """Entry points, hooks, and the methods of what plugins derive from."""
    groups = [
        ("passes", "a `Pass`, made by `linkpass`"),
        ("pipelines", "the path of a pipeline file"),
        ("observers", "a class derived from `Observer`"),
        ("dumpers", "a `Dumper`, a format of dumps"),
        ("arches", "an `Architecture`"),
        ("releases", "a `Release`"),
        ("plugins", "a module with hooks"),
    ]
    parts = [
        "# Entry points and hooks",
        (
            "What an installed package offers, it offers by entry points; hooks are for one that "
            "computes what it offers. To install a package changes no link, but where it offers "
            "what there is already under the same name: that is refused."
        ),
        "## Entry points",
        _table(("group", "what it names"), [(f"`linkpipe.{g}`", what) for g, what in groups]),
        "## Hooks",
    ]
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("linkpipe_"):
            parts += [
                f"### {name}",
                _code(_signature(name, function)),
                _prose(inspect.getdoc(function)),
            ]
    for cls in (hookspecs.Offer, api.Observer, Dumper):
        parts += _whole_class(cls, "##")
    return _page(*parts)


def promised() -> str:
    """Every name of linkpipe.api."""
    parts = [
        "# linkpipe.api",
        (
            "Every name that other people's code may rely on; [what is promised](../api.md). "
            "Columns of tables stand on [a page of their own](tables.md), methods of observers "
            "and dump formats among [the hooks](hooks.md)."
        ),
    ]
    shown = {api.Observer, Dumper, hookspecs.Offer, Architecture, Release}
    for name in api.__all__:
        value = getattr(api, name)
        if inspect.ismodule(value) or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if not str(value.__module__).startswith("linkpipe"):
            continue
        if inspect.isclass(value) and value in shown:
            parts += [f"## {name}", _text((inspect.getdoc(value) or "").split("\n\n")[0])]
        elif inspect.isclass(value):
            parts += _whole_class(value, "##", name)
        else:
            parts += [f"## {name}", _code(_signature(name, value)), _prose(inspect.getdoc(value))]
    return _page(*parts)


def _whole_class(cls: type, level: str, name: str = "") -> list[str]:
    first, _, about = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    words = schemas.words(about)
    parts = [f"{level} {name or cls.__name__}", _prose(first)]
    if attrs.has(cls):
        fields = [field for field in attrs.fields(cls) if not field.name.startswith("_")]
        rows = [
            (
                f"`{field.name}`",
                f"`{_annotation(cls, field.name)}`",
                _text(words.get(field.name, "")),
            )
            for field in fields
        ]
        parts.append(_table(("field", "type", "what"), rows) if rows else "")
    methods = []
    for own, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else value
        function = getattr(function, "__func__", function)
        if own.startswith("_") or not inspect.isfunction(function) or not inspect.getdoc(function):
            continue
        shown = own if isinstance(value, property) else _signature(own, function)
        methods.append((f"`{shown}`", _text(inspect.getdoc(function) or "")))
    parts.append(_table(("method", "what"), methods) if methods else "")
    return parts


# --- the command line


def commands() -> str:
    """A line for each command."""
    rows = [
        (f"[linkpipe {name}](commands/{name}.md)", _text(command.short_help or command.help or ""))
        for name, command in _commands()
    ]
    return _page(
        "# Commands",
        (
            "All of them; `linkpipe COMMAND --help` prints the same as the pages here. What a "
            "link takes: [flags of a link](flags.md). What the environment can say: "
            "[variables](../variables.md)."
        ),
        _table(("command", "what it does"), rows),
    )


def one_command(name: str, command: click.Command) -> str:
    """One command: its help, and its options."""
    context = click.Context(command, info_name=f"linkpipe {name}")
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"# linkpipe {name}", _code(usage, "text")]
    for block in inspect.cleandoc(command.help or command.short_help or "").split("\n\n"):
        if block.startswith("\b"):
            title, _, lines = block.removeprefix("\b\n").partition("\n")
            parts += [title, _code(inspect.cleandoc(lines), "sh")]
        else:
            parts.append(_text(block))
    given = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    rows = [param.get_help_record(context) for param in given]
    options = [(f"`{row[0]}`", _text(row[1])) for row in rows if row]
    parts += ["## Options", _table(("option", "what"), options)] if options else []
    if name in ("link", "build", "toolexec"):
        parts.append("What a link takes stands among [the flags](../flags.md).")
    return _page(*parts)


def _commands() -> Iterator[tuple[str, click.Command]]:
    return iter(sorted(whole().commands.items()))


def flags() -> str:
    """The flags of a link: the oracle's, and linkpipe's own."""
    own = []
    for name, flag in OWN_FLAGS.items():
        field = attrs.fields_dict(Settings)[FIELD_OF[name]]
        own.append((f"`-{name}`", _text(flag.usage), f"`{field.metadata['variable']}`"))
    theirs = [
        (f"`-{name}`", _text(flag.usage), _text(_refused(name))) for name, flag in FLAGS.items()
    ]
    return _page(
        "# Flags of a link",
        (
            "`linkpipe link` takes these; links that `go build` starts are given those of the "
            "first table by their variables, those of the second by `-ldflags`."
        ),
        "## Of linkpipe",
        _table(("flag", "what", "variable"), own),
        "## Of go tool link",
        (
            "In the words of `go tool link`. A flag with something in the last column is taken "
            "at its default only."
        ),
        _table(("flag", "what", "otherwise"), theirs),
    )


def errors() -> str:
    """The pages about errors."""
    rows = [(f"[{page.code}]({page.code}.md)", _text(page.title)) for page in ERRORS]
    return _page(
        "# Errors",
        (
            "One page for each class of errors. `linkpipe explain` prints them, and finds the "
            "one that a message is about."
        ),
        _table(("code", "what it is"), rows),
    )


def forms() -> str:
    """The JSON that commands print: what stands in each of the schemas."""
    parts = [
        "# JSON schemas",
        (
            "What commands print with `--format json`. Each has `schema`, which names the form "
            "and its version; numbers are bytes. The schemas themselves are files, "
            "`docs/schemas/NAME.json`."
        ),
    ]
    for file in sorted(schemas.FOLDER.glob("*.json")):
        schema = json.loads(file.read_text())
        parts += [f"## {file.stem}", _text(schema.get("description", ""))]
        known = schema.get("$defs", {})
        for name, each in {"": schema, **known}.items():
            if "properties" not in each:
                continue
            if name:
                parts += [f"**{name}**: {_text(each.get('description', ''))}"]
            rows = [
                (f"`{field}`", _shape(value), _text(value.get("description", "")))
                for field, value in each["properties"].items()
            ]
            parts.append(_table(("field", "type", "what"), rows))
    return _page(*parts)


def _shape(value: Mapping[str, Any]) -> str:
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return " or ".join(f"`{json.dumps(each)}`" for each in value["enum"])
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "anyOf" in value:
        return " or ".join(_shape(each) for each in value["anyOf"])
    kind = value.get("type", "any")
    if kind == "array" and "items" in value:
        return f"array of {_shape(value['items'])}"
    if kind == "object" and isinstance(value.get("additionalProperties"), Mapping):
        return f"object of {_shape(value['additionalProperties'])}"
    return str(kind) if isinstance(kind, str) else " or ".join(kind)


# --- Markdown


def _page(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    cells = ([re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _code(text: str, language: str = "python") -> str:
    return f"```{language}\n{text.strip()}\n```"


_SPAN = re.compile(r"(``.*?``|`[^`]*`)", re.DOTALL)


def _text(text: str) -> str:
    """Running text for one line, a table's cell or a paragraph: signs of Markdown but for code are
    what they are."""
    parts = _SPAN.split(" ".join(text.split()))
    parts[::2] = [re.sub(r"([*_<>\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _prose(text: str | None) -> str:
    """A docstring, whose indented parts are code."""
    blocks = []
    for block in re.split(r"\n\n+", text or ""):
        if block.startswith("    "):
            blocks.append(_code(inspect.cleandoc(block)))
        elif block.startswith("- "):
            items = re.split(r"\n(?=- )", block)
            blocks.append("\n".join(f"- {_text(item.removeprefix('- '))}" for item in items))
        else:
            blocks.append(_text(block))
    return "\n\n".join(blocks)


def _pass(name: str) -> str:
    return f"[{name}]({name}.md)" if name else ""


def _linked(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](passes/{name}.md)" for name in names)


def _part(path: str, up: str) -> str:
    fact = path.partition(".")[0]
    return f"[`{path}`]({up}facts.md#{fact})"


def _facts(names: Iterable[str], up: str) -> str:
    return ", ".join(_part(name, up) for name in names)


def _when(conditions: Mapping[str, tuple[Any, ...]]) -> str:
    told = []
    for name, values in conditions.items():
        words = " or ".join(f"`{json.dumps(value)}`" for value in values)
        told.append(f"`{name}` is {words}")
    return ", and ".join(told) or "always"


def _options(cls: type | None) -> str:
    if cls is None:
        return ""
    told = [f"`{field.name}` (`{field.type}`)" for field in attrs.fields(cls)]
    return ", ".join(told) or "none"


# --- Python


def _refused(name: str) -> str:
    fields = {field.name.rstrip("_").replace("_", "-"): field for field in attrs.fields(Options)}
    return str(fields[name].metadata.get("refuse", "")) if name in fields else ""


def _signature(name: str, function: Callable[..., Any]) -> str:
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    text = re.sub(r"<function (\w+) at 0x\w+>", r"\1", text)
    return f"{name}{text}"


def _annotation(cls: type, field: str) -> str:
    kind: object = attrs.fields_dict(cls)[field].type
    return kind if isinstance(kind, str) else spelled(kind)


def _hints(cls: type) -> Mapping[str, Any]:
    """The types of a class's fields; as they are written where that names what is not imported."""
    try:
        return get_type_hints(cls)
    except (NameError, TypeError):
        known = vars(sys.modules[cls.__module__])
        return {field.name: _evaluated(field.type, known) for field in attrs.fields(cls)}


def _evaluated(kind: Any, known: dict[str, Any]) -> Any:
    try:
        return eval(kind, known) if isinstance(kind, str) else kind
    except (NameError, TypeError):
        return kind


def _class_of(kind: Any) -> type | None:
    found = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and attrs.has(one)]
    return found[0] if found else None


def _kind(kind: Any) -> str:
    """A type in words: an array by its elements, a class of the tables by a link to it."""
    element = element_of(kind)
    if element is not None:
        return f"`{np.dtype(element).name}[]`"
    if isinstance(kind, type) and kind in _classes():
        return f"[{kind.__name__}](tables.md#{kind.__name__.lower()})"
    if isinstance(kind, str) or not get_args(kind):
        return f"`{kind if isinstance(kind, str) else spelled(kind)}`"
    plain = re.sub(r"\b(?:linkpipe|collections|numpy|typing)(?:\.\w+)*\.(?=\w)", "", str(kind))
    # numpy before 2.0 says bool_.
    plain = re.sub(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+?)_?\]\]", r"\1[]", plain)
    told = f"`{plain}`"
    cls = _class_of(kind)
    return f"{told} of {_kind(cls)}" if cls in _classes() and cls else told


def main() -> None:
    """Write the pages that stand in docs/reference."""
    FOLDER.mkdir(exist_ok=True)
    for file, text in shipped().items():
        file.write_text(text)


if __name__ == "__main__":
    main()
