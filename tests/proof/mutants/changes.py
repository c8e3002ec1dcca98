"""Small changes to a source file, each the least that turns one decision round."""

import ast
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
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
COUNTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
SHIELDS: Final = frozenset(("shield", "to_end"))
"""Functions that let their argument end although the caller is cancelled."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of the text from ``start`` to ``end``, offsets in bytes, to ``after``.

    It is the ``nth`` of its words ``inside`` a function, a class, or a name that gets its value there.
    """

    path: str
    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str
    inside: str
    nth: int = 1

    def applied(self, source: bytes) -> bytes:
        """The source with this change."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    @property
    def words(self) -> str:
        """The change as a line of a report, and as it is named where somebody found it to change nothing."""
        place = f"{self.path} {self.inside}" + (f" ({self.nth})" if self.nth > 1 else "")
        return f"{place}: {' '.join(self.before.split())} -> {' '.join(self.after.split())}"


def changes(path: str, source: bytes) -> Iterator[Change]:
    """Every change of a file, in the order of its lines."""
    return _Finder(path, source).all()


class _Finder:
    def __init__(self, path: str, source: bytes) -> None:
        self._path, self._source = path, source
        ends = [0]
        for line in source.splitlines(keepends=True):
            ends.append(ends[-1] + len(line))
        self._begins = ends

    def all(self) -> Iterator[Change]:
        found = [
            change
            for node, inside in self._nodes(ast.parse(self._source), "")
            for change in self._of(node, inside)
        ]
        counts = Counter[str]()
        for change in sorted(found, key=lambda change: (change.start, change.end, change.after)):
            counts[change.words] += 1
            yield replace(change, nth=counts[change.words])

    def _nodes(self, node: ast.AST, inside: str) -> Iterator[tuple[ast.AST, str]]:
        """The nodes that decide something, and where they stand: no annotations, texts,
        declarations of names or imports for types.
        """
        yield node, inside
        inside = _within(node, inside)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _decides_nothing(child):
                    yield from self._nodes(child, inside)

    def _of(self, node: ast.AST, inside: str) -> Iterator[Change]:
        match node:
            case ast.expr():
                new = _turned(node)
                yield from [self._as(node, inside, new[0], new[1])] if new else []
            case ast.If(test=test):
                yield from self._never_and_always(test, inside)
            case ast.While(test=test):
                yield self._as(test, inside, "condition", ast.Constant(False))
            case (
                ast.Expr(value=ast.Call() | ast.Await())
                | ast.Raise()
                | ast.AugAssign()
                | ast.Continue()
                | ast.Break()
            ):
                yield self._as(node, inside, "statement", "pass")
        if isinstance(node, ast.IfExp):
            yield from self._never_and_always(node.test, inside)

    def _never_and_always(self, test: ast.expr, inside: str) -> Iterator[Change]:
        for value in (False, True):
            if not isinstance(test, ast.Constant) and not (value and isinstance(test, ast.NamedExpr)):
                yield self._as(test, inside, "condition", ast.Constant(value))

    def _as(self, node: ast.AST, inside: str, kind: str, new: ast.AST | str) -> Change:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._begins[node.lineno - 1] + node.col_offset
        end = self._begins[node.end_lineno - 1] + node.end_col_offset
        after = new if isinstance(new, str) else f"({ast.unparse(new)})"
        before = self._source[start:end].decode()
        return Change(self._path, node.lineno, kind, start, end, before, after, inside)


def _within(node: ast.AST, inside: str) -> str:
    """Where what stands in a node stands: functions, classes, and the name that gets its value."""
    match node:
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
            | ast.Assign(targets=[ast.Name(id=name), *_])
            | ast.AnnAssign(target=ast.Name(id=name))
        ):
            return f"{inside}.{name}" if inside else name
    return inside


def _turned(node: ast.expr) -> tuple[str, ast.expr] | None:
    """The one way in which an expression is turned round, with its kind; None where it has none."""
    turned: tuple[str, ast.expr] | None = None
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            turned = "compare", _with(node, ops=[COMPARED[type(op)]()])
        case ast.BoolOp(op=op):
            turned = "and or", _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            turned = "not", operand
        case ast.BinOp(op=counted) if type(counted) in COUNTED:
            turned = "operator", _with(node, op=COUNTED[type(counted)]())
        case ast.Constant(value=bool(value)):
            turned = "constant", ast.Constant(not value)
        case ast.Constant(value=int(number) | float(number)):
            turned = "constant", ast.Constant(number + 1)
        case ast.Await(value=ast.Call(func=func, args=[inner])) if _name(func) in SHIELDS:
            turned = "shield", ast.Await(inner)
    return turned


def _with(node: ast.expr, **fields: object) -> ast.expr:
    """A copy of a node with other fields."""
    new = copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _decides_nothing(node: ast.AST) -> bool:
    """Whether a node is for people or for the type checker alone."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assert() | ast.keyword(arg="strict"):  # `zip` asserts, too
            return True
    return False


def sources(package: Path) -> dict[str, bytes]:
    """The files of a package below its parent, with what stands in them."""
    return {
        str(file.relative_to(package.parent)): file.read_bytes() for file in sorted(package.rglob("*.py"))
    }
