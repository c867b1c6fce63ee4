"""The pages about the command line: commands, flags, errors, and the JSON that is printed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from linkpipe.ask.explain import PAGES as ERRORS
from linkpipe.cli._group import whole
from linkpipe.flags.options import FLAGS, Options
from linkpipe.flags.settings import FIELD_OF, OWN_FLAGS, Settings
from tools import schemas
from tools.reference import markdown as md


def commands() -> str:
    """A line for each command."""
    rows = [
        (
            f"[linkpipe {name}](commands/{name}.md)",
            md.text(command.short_help or command.help or ""),
        )
        for name, command in all_commands()
    ]
    return md.page(
        "# Commands",
        (
            "All of them; `linkpipe COMMAND --help` prints the same as the pages here. What a "
            "link takes: [flags of a link](flags.md). What the environment can say: "
            "[variables](../variables.md)."
        ),
        md.table(("command", "what it does"), rows),
    )


def one_command(name: str, command: click.Command) -> str:
    """One command: its help, and its options."""
    context = click.Context(command, info_name=f"linkpipe {name}")
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"# linkpipe {name}", md.code(usage, "text")]
    for block in inspect.cleandoc(command.help or command.short_help or "").split("\n\n"):
        if block.startswith("\b"):
            title, _, lines = block.removeprefix("\b\n").partition("\n")
            parts += [title, md.code(inspect.cleandoc(lines), "sh")]
        else:
            parts.append(md.text(block))
    given = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    rows = [param.get_help_record(context) for param in given]
    options = [(f"`{row[0]}`", md.text(row[1])) for row in rows if row]
    parts += ["## Options", md.table(("option", "what"), options)] if options else []
    if name in ("link", "build", "toolexec"):
        parts.append("What a link takes stands among [the flags](../flags.md).")
    return md.page(*parts)


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its name, in alphabetical order."""
    return iter(sorted(whole().commands.items()))


def flags() -> str:
    """The flags of a link: the oracle's, and linkpipe's own."""
    own = []
    for name, flag in OWN_FLAGS.items():
        field = attrs.fields_dict(Settings)[FIELD_OF[name]]
        own.append((f"`-{name}`", md.text(flag.usage), f"`{field.metadata['variable']}`"))
    theirs = [
        (f"`-{name}`", md.text(flag.usage), md.text(_refused(name))) for name, flag in FLAGS.items()
    ]
    return md.page(
        "# Flags of a link",
        (
            "`linkpipe link` takes these; links that `go build` starts are given those of the "
            "first table by their variables, those of the second by `-ldflags`."
        ),
        "## Of linkpipe",
        md.table(("flag", "what", "variable"), own),
        "## Of go tool link",
        (
            "In the words of `go tool link`. A flag with something in the last column is taken "
            "at its default only."
        ),
        md.table(("flag", "what", "otherwise"), theirs),
    )


def _refused(name: str) -> str:
    fields = {field.name.rstrip("_").replace("_", "-"): field for field in attrs.fields(Options)}
    return str(fields[name].metadata.get("refuse", "")) if name in fields else ""


def errors() -> str:
    """The pages about errors."""
    rows = [(f"[{page.code}]({page.code}.md)", md.text(page.title)) for page in ERRORS]
    return md.page(
        "# Errors",
        (
            "One page for each class of errors. `linkpipe explain` prints them, and finds the "
            "one that a message is about."
        ),
        md.table(("code", "what it is"), rows),
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
        parts += [f"## {file.stem}", md.text(schema.get("description", ""))]
        known = schema.get("$defs", {})
        for name, each in {"": schema, **known}.items():
            if "properties" not in each:
                continue
            if name:
                parts += [f"**{name}**: {md.text(each.get('description', ''))}"]
            rows = [
                (f"`{field}`", _shape(value), md.text(value.get("description", "")))
                for field, value in each["properties"].items()
            ]
            parts.append(md.table(("field", "type", "what"), rows))
    return md.page(*parts)


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
