"""Markers that say what a parameter or an output means; used inside `Annotated`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

UnitName = Literal["px", "physical", "intensity", "fraction", "degrees", "seconds", "frames", "dB", "HU"]


@dataclass(frozen=True)
class Range:
    """Smallest and largest value allowed, both inclusive; `step` is the widget's increment."""

    low: float | None = None
    high: float | None = None
    step: float | None = None


@dataclass(frozen=True)
class Odd:
    """Only odd integers are allowed."""


@dataclass(frozen=True)
class Unit:
    """What the number counts.

    ``"px"`` samples, ``"physical"`` the layer's units (converted with the spacing of each axis),
    ``"intensity"`` the image's own grey values, ``"fraction"`` 0 to 1. A parameter called `unit`
    in the same technique lets the user choose between ``"px"`` and ``"physical"``.
    """

    name: UnitName


@dataclass(frozen=True)
class Advanced:
    """Shown only when the user unfolds the advanced part of the form."""


@dataclass(frozen=True)
class VisibleIf:
    """Show the parameter only while another one has one of these values."""

    parameter: str
    values: tuple[Any, ...]

    def __init__(self, parameter: str, *values: Any) -> None:
        object.__setattr__(self, "parameter", parameter)
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class PerAxis:
    """One value for all spatial axes, or one per axis in z, y, x order."""


@dataclass(frozen=True)
class OnlyIf:
    """The output exists only while a parameter is true (or has one of `values`); else it is None."""

    parameter: str
    values: tuple[Any, ...] = (True,)


@dataclass(frozen=True)
class Dtype:
    """Data type rule of an output: a rule name, a NumPy type name, or a callable(dtype, parameters)."""

    rule: str | Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class ExtraAxis:
    """The output has a further leading axis.

    `length` is a callable(parameters) giving its length; it gives None, or is None, when only the data can tell. The
    parameters also hold the inputs that are no arrays and, as `inputs`, the names of the arrays that are given.
    """

    letter: str
    length: Callable[[Mapping[str, Any]], int | None] | None = None


@dataclass(frozen=True)
class Channels:
    """What an output does with the colour axis in ``channels="rgb"``: kept, dropped or a new length."""

    rule: Literal["keep", "drop"] | int
