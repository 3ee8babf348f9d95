"""Filters of tables such as ``area > 50 and label != 3``: parsed, never executed; no Qt."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import Table
from napari_lightbox.errors import ParameterError

_LONGEST, _DEEPEST = 1000, 40
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Mod: np.mod,
}
_QUOTED = re.compile(r"`([^`]+)`")
_EXAMPLE = "Write it like area > 50 and label != 3; names with spaces stand in `backquotes`"


def rows_matching(table: Table, expression: str) -> NDArray[np.bool_]:
    """Return which rows of a table fulfil an expression, all of them for an empty one.

    Names of columns, numbers, texts, ``+ - * / %``, comparisons (also chained), ``in (1, 2)``, ``and``, ``or`` and ``not``.

    Raises
    ------
    ParameterError
        The expression cannot be read, names no column or compares what cannot be compared.
    """
    text = expression.strip()
    if not text:
        return np.ones(len(table), bool)
    if len(text) > _LONGEST:
        raise _error("is too long")
    names: dict[str, str] = {}

    def bare(match: re.Match[str]) -> str:
        names[f"_column_{len(names)}_"] = match[1]
        return list(names)[-1]

    try:
        tree = ast.parse(_QUOTED.sub(bare, text), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _error(f"{text!r} cannot be read") from error
    with np.errstate(all="ignore"):
        result = np.asarray(_Reader(table, names).read(tree, 0))
    if result.dtype != bool:
        raise _error(f"{text!r} is not a comparison")
    return np.array(np.broadcast_to(result, len(table)))


class _Reader:
    """Computes an expression column by column; anything but plain comparisons and arithmetic is refused."""

    def __init__(self, table: Table, names: dict[str, str]) -> None:
        self._table = table
        self._names = names

    def read(self, node: ast.AST, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _error("is nested too deeply")
        deeper = depth + 1
        match node:
            case ast.Name(id=name):
                return self._column(self._names.get(name, name))
            case ast.Constant(value=value) if isinstance(value, (int, float, str)):
                return value
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._compare(self.read(left, deeper), ops, rights, deeper)
            case ast.BoolOp(op=op, values=parts):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return join.reduce([self._truth(part, deeper) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return ~self._truth(part, deeper)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return np.negative(self._number(part, deeper))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self._number(left, deeper), self._number(right, deeper))
        raise _error("holds something else than columns, numbers and comparisons")

    def _compare(self, left: Any, ops: list[ast.cmpop], rights: list[ast.expr], depth: int) -> Any:
        result: Any = np.ones(len(self._table), bool)
        for op, node in zip(ops, rights, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
                    raise _error("needs a list behind in, such as label in (1, 2)")
                right = [self.read(item, depth) for item in node.elts]
                found = np.any([self._pair(operator.eq, left, item) for item in right], axis=0) if right else False
                result = result & (found if isinstance(op, ast.In) else np.logical_not(found))
                continue
            if type(op) not in _COMPARE:
                raise _error("holds something else than columns, numbers and comparisons")
            right = self.read(node, depth)
            result = result & self._pair(_COMPARE[type(op)], left, right)
            left = right
        return result

    def _pair(self, compare: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        if _is_text(left) != _is_text(right):
            raise _error("compares a text with a number")
        return compare(np.asarray(left), np.asarray(right))

    def _truth(self, node: ast.AST, depth: int) -> Any:
        value = np.asarray(self.read(node, depth))
        if value.dtype != bool:
            raise _error("joins something that is not a comparison")
        return np.broadcast_to(value, len(self._table))

    def _number(self, node: ast.AST, depth: int) -> Any:
        value = np.asarray(self.read(node, depth))
        if value.dtype.kind not in "iufb" or value.dtype == bool:
            raise _error("calculates with something that is not a number")
        return value.astype(float) if value.dtype.kind in "iu" else value

    def _column(self, name: str) -> Any:
        if name in self._table:
            column = self._table[name]
            return column.astype(str) if column.dtype.kind == "O" else column
        if name in ("True", "False"):
            return name == "True"
        raise ParameterError("filter", f"there is no column {name!r}", f"Choose from: {', '.join(self._table)}")


def _is_text(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "US"


def _error(reason: str) -> ParameterError:
    return ParameterError("filter", reason, _EXAMPLE)
