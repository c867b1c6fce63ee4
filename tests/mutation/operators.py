"""The changes: each is one expression or statement of a file, and what stands there instead.

Only what runs is changed: no annotations, docstrings, imports, nor the words of error messages,
which are tested where they matter and are free to improve elsewhere.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import evolve, frozen

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}


COMMUTATIVE = {"max", "maximum", "min", "minimum", "union1d"}

Made = Callable[[ast.expr | ast.stmt | tuple[int, int], str, str], "Mutant"]


@frozen
class Mutant:
    """A change of a file.

    ``first`` and ``last`` are the lines of the statement (its head, when it has a body), from 1:
    tests that run one of them can notice. ``start`` and ``end`` are offsets in bytes; ``place``
    is that of the start in the statement, ``nth`` counts equal statements of the file.
    """

    file: str
    operator: str
    first: int
    last: int
    start: int
    end: int
    place: int
    before: str
    after: str
    context: str
    nth: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """What the change is, wherever its statement stands in the file."""
        return (self.file, self.operator, self.context, str(self.place), self.before, self.after)

    @property
    def id(self) -> str:
        """The same for the same change of the same statement."""
        words = "\0".join((*self.words, str(self.nth)))
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    def apply(self, source: str) -> str:
        """The file with the change."""
        raw = source.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()

    def diff(self) -> str:
        """The change for people."""
        old, new = self.before.splitlines(), self.after.splitlines()
        lines = [f"-{line.strip()}" for line in old] + [f"+{line.strip()}" for line in new]
        return "\n".join([f"{self.file}:{self.first} ({self.operator})", *lines])


def mutants(file: str, source: str) -> list[Mutant]:
    """All changes of a file, in order."""
    found = list(_Finder(file, source).statements(ast.parse(source).body, skip_docstring=True))
    once = {(m.start, m.end, m.after): m for m in found}
    found = sorted(once.values(), key=lambda m: (m.start, m.end, m.operator, m.after))
    seen: Counter[tuple[str, ...]] = Counter()
    for place, mutant in enumerate(found):
        found[place] = evolve(mutant, nth=seen[mutant.words])
        seen[mutant.words] += 1
    return found


def of_files(root: Path, files: list[str]) -> list[Mutant]:
    """All changes of some files."""
    return [m for file in files for m in mutants(file, (root / file).read_text())]


class _Finder:
    def __init__(self, file: str, source: str) -> None:
        self.file = file
        self.raw = source.encode()
        self.lines = [0]
        for line in self.raw.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def statements(self, body: list[ast.stmt], *, skip_docstring: bool) -> Iterator[Mutant]:
        for place, stmt in enumerate(body):
            if skip_docstring and place == 0 and _is_text(stmt):
                continue
            if not isinstance(stmt, ast.Import | ast.ImportFrom) and not _is_text(stmt):
                yield from self.statement(stmt)

    def statement(self, stmt: ast.stmt) -> Iterator[Mutant]:
        bodies = [part for part in _bodies(stmt) if part]
        last = min((part[0].lineno - 1 for part in bodies), default=stmt.end_lineno or stmt.lineno)
        lines = (stmt.lineno, max(last, stmt.lineno))
        head = self.text(self.offset(stmt.lineno, 0), self.lines[lines[1]])
        context = " ".join(head.split())

        def made(where: ast.expr | ast.stmt | tuple[int, int], operator: str, after: str) -> Mutant:
            start, end = where if isinstance(where, tuple) else self.span(where)
            before = self.text(start, end)
            place = start - self.offset(stmt.lineno, stmt.col_offset)
            return Mutant(self.file, operator, *lines, start, end, place, before, after, context)

        if isinstance(stmt, ast.If) and "TYPE_CHECKING" in context:
            return
        if isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            for default in _defaults(stmt):
                yield from self.expressions(default, made)
        elif isinstance(stmt, ast.Raise | ast.Assert):
            yield made(stmt, "statement", "pass")
        else:
            yield from self.simple(stmt, made)
            for expr in _expressions(stmt):
                yield from self.expressions(expr, made)
        for part in bodies:
            definition = isinstance(stmt, ast.FunctionDef | ast.ClassDef)
            yield from self.statements(part, skip_docstring=definition)

    def simple(self, stmt: ast.stmt, made: Made) -> Iterator[Mutant]:
        match stmt:
            case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()):
                yield made(stmt, "statement", "pass")
            case ast.AugAssign(op=op):
                yield made(stmt, "statement", "pass")
                other = ARITHMETIC.get(type(op))
                if other:
                    changed = ast.AugAssign(stmt.target, other(), stmt.value)
                    yield made(stmt, "arithmetic", ast.unparse(changed))
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield made(stmt, "return", "return None")
            case ast.Continue():
                yield made(stmt, "statement", "break")
            case ast.Break():
                yield made(stmt, "statement", "continue")
            case ast.If(test=test) | ast.While(test=test) if not _turned(test):
                yield made(test, "condition", f"not ({ast.unparse(test)})")

    def expressions(self, root: ast.expr, made: Made) -> Iterator[Mutant]:
        inside_text: set[int] = set()
        for node in ast.walk(root):
            if isinstance(node, ast.JoinedStr):
                inside_text |= {id(part) for part in ast.walk(node)} - {id(node)}
                continue
            if id(node) in inside_text or not isinstance(node, ast.expr):
                continue
            if isinstance(node, ast.Call) and _is_error(node):
                inside_text |= {id(part) for part in ast.walk(node)}
                continue
            for operator, after in _changes(node):
                yield made(node, operator, after)
            if isinstance(node, ast.Call):
                yield from self.arguments(node, made)

    def arguments(self, call: ast.Call, made: Made) -> Iterator[Mutant]:
        """The first two arguments the other way round; each keyword left out."""
        args = call.args[:2]
        starred = any(isinstance(arg, ast.Starred) for arg in args)
        if len(args) == 2 and not starred and _name(call.func) not in COMMUTATIVE:
            (start, middle), (other, end) = (self.span(arg) for arg in args)
            texts = (self.text(other, end), self.text(middle, other), self.text(start, middle))
            yield made((start, end), "arguments", "".join(texts))
        for keyword in call.keywords:
            if keyword.arg:
                start, end = self.span(keyword)
                comma = re.match(rb"\s*,", self.raw[end:])
                yield made((start, end + (comma.end() if comma else 0)), "keyword", "")

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        start = self.offset(node.lineno, node.col_offset)
        return start, self.offset(node.end_lineno or 0, node.end_col_offset or 0)

    def offset(self, line: int, column: int) -> int:
        return self.lines[line - 1] + column

    def text(self, start: int, end: int) -> str:
        return self.raw[start:end].decode()


def _changes(node: ast.expr) -> Iterator[tuple[str, str]]:
    """What may stand in place of an expression: operator and text, in parentheses where an
    expression around it could bind tighter."""

    def show(changed: ast.expr) -> str:
        return f"({ast.unparse(changed)})"

    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for place, op in enumerate(ops):
                new = [*ops[:place], COMPARE[type(op)](), *ops[place + 1 :]]
                yield "comparison", show(ast.Compare(left, new, others))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            yield "arithmetic", show(ast.BinOp(left, ARITHMETIC[type(op)](), right))
        case ast.BoolOp(op=op, values=values):
            yield "boolean", show(ast.BoolOp(_other(op), values))
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "boolean", show(operand)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "condition", show(ast.IfExp(test, orelse, body))
        case ast.Constant(value=bool() as value):
            yield "constant", str(not value)
        case ast.Constant(value=int() as value):
            yield "constant", f"({value + 1})"
            yield "constant", f"({value - 1})"
        case ast.Constant(value=str() as value):
            yield "constant", repr("" if value else "X")
        case ast.Constant(value=bytes() as value):
            yield "constant", repr(b"" if value else b"X")


def _other(op: ast.boolop) -> ast.boolop:
    return ast.Or() if isinstance(op, ast.And) else ast.And()


def _bodies(stmt: ast.stmt) -> list[list[ast.stmt]]:
    parts = [getattr(stmt, name, []) for name in ("body", "orelse", "finalbody")]
    parts += [handler.body for handler in getattr(stmt, "handlers", [])]
    parts += [case.body for case in getattr(stmt, "cases", [])]
    return parts


def _expressions(stmt: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement itself, but for annotations."""
    for name, value in ast.iter_fields(stmt):
        if name in ("annotation", "type_params", "decorator_list", "returns"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.expr):
                yield item
            elif isinstance(item, ast.withitem):
                yield item.context_expr
            elif isinstance(item, ast.match_case) and item.guard:
                yield item.guard


def _defaults(stmt: ast.FunctionDef | ast.ClassDef) -> list[ast.expr]:
    if isinstance(stmt, ast.ClassDef):
        return []
    return [expr for expr in (*stmt.args.defaults, *stmt.args.kw_defaults) if expr]


def _turned(test: ast.expr) -> bool:
    """Whether a change of the condition itself turns it round already."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    return isinstance(test, ast.Compare) and len(test.ops) == 1


def _is_text(stmt: ast.stmt) -> bool:
    return isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Constant)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else str(getattr(func, "id", ""))


def _is_error(call: ast.Call) -> bool:
    """Whether a call makes an error: its words are not changed."""
    return _name(call.func).lstrip("_").endswith(("Error", "error", "damaged", "warning"))
