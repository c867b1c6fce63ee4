"""The page about tables: the classes of the facts' values, column by column."""

from __future__ import annotations

import inspect
import re

from linkpipe import api
from linkpipe.engine.plan import Plan
from tools.reference import markdown as md
from tools.reference.python import fields, first_words, page_of, places
from tools.reference.stages import linked


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
    for cls, place in places().items():
        if page_of(cls) != "tables":
            continue
        words = _column_words() if cls is api.Symbols else {}
        rows = [
            (
                shown,
                kind,
                md.text(words.get(name, "")) or what,
                _final_from(plan, f"{place}.{name}"),
            )
            for name, shown, kind, what in fields(cls)
        ]
        parts += [
            f"## {cls.__name__}",
            " ".join(first_words(cls).split()),
            f"Where it is: `{place}`.",
            md.table(("field", "type", "what", "final from"), rows),
        ]
        if cls is api.Symbols:
            parts += ["The bits of `flags`, names of `linkpipe.api.Flag`:", _flag_words()]
    return md.page(*parts)


def _final_from(plan: Plan, path: str) -> str:
    """From where on a part of a fact is not changed any more, with a link."""
    for barrier in plan.barriers:
        if any(path == each or path.startswith(f"{each}.") for each in barrier.final):
            return f"[{barrier.name}](barriers.md#{barrier.name})"
    fact = path.partition(".")[0]
    setters = [each.name for each in plan.passes if fact in each.run.provides]
    return f"behind {linked(setters[-1:])}" if setters else "the beginning"


def _flag_words() -> str:
    """The bits of the flags column, with what is said of each below it."""
    from linkpipe.tables import symbolcolumns

    source = inspect.getsource(symbolcolumns.Flag)
    found = re.findall(r'^    (\w+) = 1 << (\d+)\n(?:    """(.*?)""")?', source, re.MULTILINE)
    return md.table(("bit", "name", "what"), [(at, f"`{name}`", what) for name, at, what in found])


def _column_words() -> dict[str, str]:
    """What is said of each column of the symbol table, beside it in the schema."""
    from linkpipe.tables import symbolcolumns

    source = inspect.getsource(symbolcolumns)
    return dict(re.findall(r'^ +"(\w+)": np\.\w+,  # (.*)$', source, re.MULTILINE))
