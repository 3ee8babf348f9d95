"""Read inputs, parameters and outputs from the annotations of a technique's function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from napari_lightbox.contract.markers import Channels, Dtype, ExtraAxis, OnlyIf
from napari_lightbox.contract.parameters import Parameter, read_parameter
from napari_lightbox.contract.roles import ARRAY_ROLES, Role
from napari_lightbox.contract.where import Injected
from napari_lightbox.errors import ContractError


@dataclass(frozen=True)
class InputSpec:
    """One positional input."""

    name: str
    role: Role
    optional: bool

    @property
    def is_array(self) -> bool:
        """Whether the input is a pixel array (or several)."""
        return self.role.name in ARRAY_ROLES


@dataclass(frozen=True)
class OutputSpec:
    """One output."""

    name: str
    role: Role
    dtype: Dtype | None = None
    only_if: OnlyIf | None = None
    extra_axis: ExtraAxis | None = None
    channels: Channels | None = None

    @property
    def is_array(self) -> bool:
        """Whether the output is a pixel array."""
        return self.role.name in ARRAY_ROLES

    def present(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether a run with these parameters makes this output."""
        return self.only_if is None or parameters.get(self.only_if.parameter) in self.only_if.values


@dataclass(frozen=True)
class Signature:
    """What the function takes and gives."""

    inputs: tuple[InputSpec, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[OutputSpec, ...]
    injected: frozenset[str]
    result: type | None

    @property
    def by_name(self) -> dict[str, Parameter]:
        """Parameters by name."""
        return {p.name: p for p in self.parameters}


def read_signature(technique: str, function: Callable[..., Any]) -> Signature:
    """Read the annotations of `function` once.

    Raises
    ------
    ContractError
        A positional argument without role, a parameter without type, or no return annotation.
    """
    hints = get_type_hints(function, include_extras=True)
    inputs: list[InputSpec] = []
    parameters: list[Parameter] = []
    injected: set[str] = set()
    for name, argument in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        markers = _metadata(hint)
        if any(isinstance(m, Injected) for m in markers):
            injected.add(name)
        elif argument.kind is argument.KEYWORD_ONLY:
            parameters.append(read_parameter(technique, name, hint, argument.default))
        else:
            inputs.append(_read_input(technique, name, hint))
    if "return" not in hints:
        raise ContractError(technique, "has no return annotation", "Annotate the result with a role or a NamedTuple of roles")
    outputs, result = _read_outputs(technique, hints["return"])
    return Signature(tuple(inputs), tuple(parameters), outputs, frozenset(injected), result)


def _metadata(hint: Any) -> tuple[Any, ...]:
    """Return all markers of a hint, also those inside ``X | None`` and nested `Annotated`."""
    if get_origin(hint) is Annotated:
        inner, *markers = get_args(hint)
        return (*markers, *_metadata(inner))
    if get_origin(hint) in (Union, UnionType):
        return tuple(m for member in get_args(hint) for m in _metadata(member))
    return ()


def _is_optional(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _is_optional(get_args(hint)[0])
    return get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint)


def _read_input(technique: str, name: str, hint: Any) -> InputSpec:
    role = next((m for m in _metadata(hint) if isinstance(m, Role)), None)
    if role is None:
        raise ContractError(technique, f"input {name!r} has no role", "Annotate it with Image, Labels, Seeds, Mask, ...")
    return InputSpec(name, role, _is_optional(hint))


def _read_outputs(technique: str, hint: Any) -> tuple[tuple[OutputSpec, ...], type | None]:
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        fields = get_type_hints(hint, include_extras=True)
        return tuple(_read_output(technique, name, fields[name]) for name in hint._fields), hint
    if get_origin(hint) is tuple:  # Sequence techniques return (state, output)
        return _read_outputs(technique, get_args(hint)[1])
    return (_read_output(technique, "result", hint),), None


def _read_output(technique: str, name: str, hint: Any) -> OutputSpec:
    found = {type(m): m for m in reversed(_metadata(hint))}
    if Role not in found:
        raise ContractError(technique, f"output {name!r} has no role", "Annotate it with Image, Labels, Table, ...")
    return OutputSpec(name, found[Role], found.get(Dtype), found.get(OnlyIf), found.get(ExtraAxis), found.get(Channels))
