"""The `technique` decorator: one typed function becomes widget, command, schema and page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, SupportsIndex, TypeVar

from napari_lightbox.contract.docs import Documentation, read_docstring
from napari_lightbox.contract.grid import Grid
from napari_lightbox.contract.locality import Locality, locality_name
from napari_lightbox.contract.parameters import Parameter
from napari_lightbox.contract.signature import InputSpec, OutputSpec, Signature, read_signature
from napari_lightbox.errors import ContractError, ParameterError

Kind = Literal["technique", "feature"]
ChannelMode = Literal["each", "rgb", "luminance"]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Technique:
    """Everything known about one technique without running it.

    Parameters
    ----------
    id
        Catalogue id, such as ``"median_filter"``.
    title
        Name shown to people.
    family
        Family folder, such as ``"denoise"``.
    function
        The kernel: NumPy block in, NumPy block out.
    locality
        How far the kernel looks.
    spatial
        Numbers of spatial axes the kernel can work over at once.
    channels
        ``"each"`` maps over channels, ``"rgb"`` hands the kernel blocks with colour last,
        ``"luminance"`` runs on the HSV value and recolours.
    dtype
        Rule for the type of Image outputs (see `contract.dtypes`).
    grid
        How the output grid follows from the input grid, when they differ.
    over
        Fixed axes the kernel works over, such as ``"tyx"``; None lets the engine take the spatial ones.
    memory
        Peak working memory in multiples of the bytes of one element's inputs and outputs.
    check
        ``check(parameters, ndim)`` raises when parameters contradict each other.
    """

    id: str
    title: str
    family: str
    function: Callable[..., Any]
    locality: Locality
    spatial: tuple[int, ...] = (2, 3)
    channels: ChannelMode = "each"
    dtype: str | Callable[[Any, Mapping[str, Any]], Any] = "same"
    kind: Kind = "technique"
    synonyms: tuple[str, ...] = ()
    grid: Grid | None = None
    over: str | None = None
    memory: float = 4.0
    check: Callable[[Mapping[str, Any], int], None] | None = None

    @cached_property
    def signature(self) -> Signature:
        """Inputs, parameters, outputs and injected keywords of the function."""
        return read_signature(self.id, self.function)

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Inputs in positional order."""
        return self.signature.inputs

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters in display order."""
        return self.signature.parameters

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """Outputs in declared order, the main one first."""
        return self.signature.outputs

    @cached_property
    def documentation(self) -> Documentation:
        """Summary, description, help per parameter, references."""
        return read_docstring(self.function.__doc__ or "")

    @property
    def doc(self) -> str:
        """One-line summary."""
        return self.documentation.summary

    @property
    def locality_name(self) -> str:
        """Catalogue name of the locality."""
        return locality_name(self.locality)

    @property
    def injected(self) -> frozenset[str]:
        """Names of the keywords the engine passes."""
        return self.signature.injected

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters: `given` checked and converted, defaults for the rest.

        Raises
        ------
        ParameterError
            Unknown name, wrong type or value out of range; the message lists what is allowed.
        """
        known = self.signature.by_name
        for name in given:
            if name not in known:
                raise ParameterError(name, f"is not a parameter of {self.id}", f"Choose from: {', '.join(known) or 'none'}")
        return {name: p.check(given[name]) if name in given else p.default for name, p in known.items()}

    def __call__(self, *inputs: Any, **parameters: Any) -> Any:
        """Call the bare kernel on NumPy blocks (no engine, no checks)."""
        return self.function(*inputs, **parameters)

    def __repr__(self) -> str:
        """Return a short form for people."""
        return f"<Technique {self.id}: {self.title} ({self.family}, {self.locality_name})>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Pickle as the function it belongs to, where that can be imported: kernels travel with every block."""
        if getattr(self.function, "technique", None) is self and _is_importable(self.function):
            return _technique_of, (self.function,)
        return super().__reduce_ex__(protocol)


def _technique_of(function: Any) -> Any:
    return function.technique


def _is_importable(function: Callable[..., Any]) -> bool:
    module = sys.modules.get(function.__module__)
    return function.__module__ != "__main__" and getattr(module, function.__qualname__, None) is function


def technique(
    id: str,  # noqa: A002 - the catalogue's word
    *,
    title: str,
    locality: Locality,
    **details: Any,
) -> Callable[[_F], _F]:
    """Declare a function as a technique.

    The function's positional arguments are inputs (annotated with roles), keyword-only arguments are
    parameters (annotated with types and markers), its return annotation is a role or a NamedTuple of
    roles. The family is the folder the module lies in. The function itself is returned unchanged, with
    the `Technique` as attribute ``technique``.

    Raises
    ------
    ContractError
        The declaration contradicts itself.
    """

    def declare(function: _F) -> _F:
        family = details.pop("family", None) or function.__module__.split(".")[-2]
        if not function.__doc__:
            raise ContractError(id, "has no docstring", "Write a numpy-style docstring: it becomes the help")
        record = Technique(id=id, title=title, family=family, function=function, locality=locality, **details)
        function.technique = record  # type: ignore[attr-defined]
        return function

    return declare
