"""One parameter of a technique: type, default, allowed values, meaning."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from napari_lightbox.contract.markers import Advanced, Odd, PerAxis, Range, Unit, VisibleIf
from napari_lightbox.errors import ContractError, ParameterError


@dataclass(frozen=True)
class Parameter:
    """A keyword of a technique as read from its annotation.

    `kind` is one of ``int``, ``float``, ``bool``, ``str``, ``choice``, ``sequence``.
    """

    name: str
    kind: str
    default: Any
    choices: tuple[Any, ...] = ()
    optional: bool = False
    range: Range = Range()
    odd: bool = False
    unit: str | None = None
    advanced: bool = False
    visible_if: VisibleIf | None = None
    per_axis: bool = False
    item: str | None = None

    def check(self, value: Any) -> Any:
        """Return `value` converted to the parameter's type.

        Raises
        ------
        ParameterError
            Wrong type or out of range.
        """
        if value is None:
            if self.optional:
                return None
            raise ParameterError(self.name, "must not be None", f"Give a value such as {self.default!r}")
        if self.per_axis and isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
            return tuple(self._scalar(v) for v in value)
        if self.kind == "sequence":
            return self._sequence(value)
        return self._scalar(value)

    def _sequence(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise ParameterError(self.name, f"{value!r} is not a list", f"Give a list such as {self.default!r}")
        if self.item is None:
            return tuple(tuple(v) if isinstance(v, (list, np.ndarray)) else v for v in value)
        return tuple(self._convert(v, self.item) for v in value)

    def _scalar(self, value: Any) -> Any:
        if self.kind == "choice":
            if value not in self.choices:
                raise ParameterError(
                    self.name, f"{value!r} is not allowed", f"Choose one of {', '.join(map(repr, self.choices))}"
                )
            return value
        converted = self._convert(value, self.kind)
        if self.kind in ("int", "float"):
            self._check_range(converted)
        return converted

    def _convert(self, value: Any, kind: str) -> Any:
        if kind == "bool" and isinstance(value, (bool, np.bool_)):
            return bool(value)
        if kind == "str" and isinstance(value, str):
            return value
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if kind == "int" and number and float(value).is_integer():
            return int(value)
        if kind == "float" and number:
            return float(value)
        raise ParameterError(self.name, f"{value!r} is not {_WORDS[kind]}", f"Give a value such as {self.default!r}")

    def _check_range(self, value: float) -> None:
        low, high = self.range.low, self.range.high
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            raise ParameterError(self.name, f"{value} is out of range", f"Give a value {_span(low, high)}")
        if self.odd and value % 2 == 0:
            raise ParameterError(self.name, f"{value} is even", f"Give an odd number such as {int(value) + 1}")


_WORDS = {"int": "a whole number", "float": "a number", "bool": "True or False", "str": "a text"}


def _span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"of at least {low}" if low is not None else f"of at most {high}" if high is not None else "that is a number"


def read_parameter(technique: str, name: str, annotation: Any, default: Any) -> Parameter:
    """Build a `Parameter` from an annotation and its default.

    Raises
    ------
    ContractError
        The annotation has no supported type.
    """
    markers: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        markers = tuple(rest)
    kinds, optional = _members(annotation)
    per_axis = any(isinstance(m, PerAxis) for m in markers)
    if per_axis:
        kinds = [k for k in kinds if get_origin(k) not in (tuple, list, Sequence)]
    if len(kinds) != 1:
        raise ContractError(
            technique, f"parameter {name!r} has an unsupported type", "Use int, float, bool, str, Literal or a list"
        )
    kind, choices, item = _kind(technique, name, kinds[0])
    chosen = {type(m): m for m in markers}
    return Parameter(
        name=name,
        kind=kind,
        default=default,
        choices=choices,
        optional=optional,
        range=chosen.get(Range, Range()),
        odd=Odd in chosen,
        unit=chosen[Unit].name if Unit in chosen else None,
        advanced=Advanced in chosen,
        visible_if=chosen.get(VisibleIf),
        per_axis=per_axis,
        item=item,
    )


def _members(annotation: Any) -> tuple[list[Any], bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        members = list(get_args(annotation))
        return [m for m in members if m is not type(None)], type(None) in members
    return [annotation], False


def _kind(technique: str, name: str, annotation: Any) -> tuple[str, tuple[Any, ...], str | None]:
    if annotation in (int, float, bool, str):
        return annotation.__name__, (), None
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation), None
    if get_origin(annotation) in (tuple, list, Sequence):
        inner = [a for a in get_args(annotation) if a is not Ellipsis]
        simple = (
            inner[0].__name__ if inner and all(a is inner[0] for a in inner) and inner[0] in (int, float, bool, str) else None
        )
        return "sequence", (), simple
    raise ContractError(technique, f"parameter {name!r} has type {annotation!r}", "Use int, float, bool, str, Literal or a list")
