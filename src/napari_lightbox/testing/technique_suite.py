"""The suite every technique passes; third parties subclass it for theirs.

>>> class TestMine(TechniqueSuite):
...     techniques = ("my_filter",)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lightbox.contract import Collection, Technique, registry
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.testing import technique_checks as checks
from napari_lightbox.testing.compare import as_outputs
from napari_lightbox.testing.examples import Example, Maker, dimensions, make_example

IMAGE_TYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64")
LABEL_TYPES = ("bool", "uint8", "uint16", "int32", "int64", "uint32", "uint64")


@dataclass(frozen=True)
class Hint:
    """What the suite has to know about one technique beyond its contract.

    Parameters
    ----------
    parameters
        Parameters that keep small examples meaningful and quick.
    maker
        Makes the inputs of techniques whose inputs must fit each other.
    variants
        Further parameter sets that every engine promise is checked with.
    types
        Data types the suite tries; all by default.
    shapes
        Shape of the example per number of axes.
    colour
        Whether the technique needs a colour picture.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    maker: Maker | None = None
    variants: Sequence[Mapping[str, Any]] = ()
    types: Sequence[str] | None = None
    shapes: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    colour: bool = False


class TechniqueSuite:
    """Subclass and set `techniques` to the ids (or techniques) to test; `hints` helps where the contract does not say enough."""

    techniques: ClassVar[Sequence[str | Technique]] = ()
    hints: ClassVar[Mapping[str, Hint]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test for every technique."""
        if "technique" in metafunc.fixturenames:
            chosen = [t if isinstance(t, Technique) else registry.get(t) for t in self.techniques]
            metafunc.parametrize("technique", chosen, ids=[t.id for t in chosen])

    def hint(self, technique: Technique) -> Hint:
        """Return what is known about a technique beyond its contract."""
        return self.hints.get(technique.id, Hint())

    def example(self, technique: Technique, **changes: Any) -> Example:
        """Return a small example."""
        hint = self.hint(technique)
        ndim = changes.get("ndim") or dimensions(technique)[0]
        options: dict[str, Any] = {
            "parameters": hint.parameters,
            "maker": hint.maker,
            "shape": hint.shapes.get(ndim),
            "colour": hint.colour,
        }
        return make_example(technique, **(options | changes))

    def examples(self, technique: Technique) -> list[Example]:
        """Return one example per number of axes and variant."""
        hint = self.hint(technique)
        parameter_sets = [hint.parameters, *[dict(hint.parameters) | dict(v) for v in hint.variants]]
        return [self.example(technique, ndim=n, parameters=p) for n in dimensions(technique) for p in parameter_sets]

    def halo_examples(self, technique: Technique) -> list[Example]:
        """Return the examples once more in double precision, where the faintest influence shows."""
        integers = self.examples(technique)
        if technique.inputs[0].role.name in LABEL_ROLES or self.hint(technique).maker is not None:
            return integers
        return [*integers, *[e.with_first(e.first.astype(np.float64) / 1000) for e in integers]]

    def test_contract(self, technique: Technique) -> None:
        """Documentation is complete, defaults are allowed, schema and recipe survive JSON."""
        checks.check_contract(technique)

    def test_bad_parameters(self, technique: Technique) -> None:
        """Unknown names and values out of range are refused by name."""
        checks.check_bad_parameters(technique, self.example(technique))

    def test_read_only_and_repeatable(self, technique: Technique) -> None:
        """Inputs are left alone and equal calls give equal bits."""
        for example in self.examples(technique):
            checks.check_read_only(technique, example)

    def test_dtypes(self, technique: Technique) -> None:
        """Every type gives the declared output types."""
        labels = technique.inputs[0].role.name in LABEL_ROLES
        types = self.hint(technique).types or (LABEL_TYPES if labels else IMAGE_TYPES)
        for kind in types:
            checks.check_dtype(technique, self.example(technique, dtype=kind))

    def test_lazy_equals_eager(self, technique: Technique) -> None:
        """Tiled = whole, for every variant and number of axes."""
        for example in self.examples(technique):
            shape = _array_shape(technique, example)
            for chunks in checks.chunkings(shape):
                checks.check_lazy_equals_eager(technique, example, chunks)

    @given(data=st.data())
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    def test_lazy_equals_eager_for_any_shape(self, technique: Technique, data: st.DataObject) -> None:
        """Tiled = whole over random shapes, types, chunkings and seeds."""
        if isinstance(technique.locality, Collection) or self.hint(technique).maker is not None:
            return
        if self.hint(technique).shapes:
            return
        ndim = data.draw(st.sampled_from(dimensions(technique)), "ndim")
        shape = tuple(data.draw(st.integers(9, {1: 60, 2: 40, 3: 16}[ndim]), f"length {i}") for i in range(ndim))
        labels = technique.inputs[0].role.name in LABEL_ROLES
        kind = data.draw(st.sampled_from(("uint8", "int32") if labels else ("uint8", "uint16", "float32")), "dtype")
        example = self.example(technique, ndim=ndim, shape=shape, dtype=kind, seed=data.draw(st.integers(0, 99), "seed"))
        chunks = tuple(
            data.draw(st.integers(max(n // 4, 1), n), f"chunk {i}") for i, n in enumerate(_array_shape(technique, example))
        )
        checks.check_lazy_equals_eager(technique, example, chunks)

    def test_mask(self, technique: Technique) -> None:
        """A mask restricts the result, tiled as whole, and outside an image stays what it was."""
        hint = self.hint(technique)
        if isinstance(technique.locality, Collection) or technique.grid is not None or hint.maker is not None or hint.colour:
            return
        if any(s.name == "mask" and not s.optional for s in technique.inputs[1:]):
            return
        if any(s.role.name not in ("image", "image_or_labels", "labels") or s.extra_axis for s in technique.outputs):
            return
        example = self.example(technique)
        mask = np.zeros(_array_shape(technique, example), bool)
        mask[tuple(slice(n // 4, 3 * n // 4) for n in mask.shape)] = True
        checks.check_lazy_equals_eager(technique, example, checks.chunkings(mask.shape)[0], mask)
        result = as_outputs(checks.run(technique, example, mask=mask))[0]
        if technique.outputs[0].role.name != "labels" and "mask" not in {s.name for s in technique.inputs}:
            np.testing.assert_array_equal(result[~mask], example.first[~mask].astype(result.dtype))

    def test_mapping(self, technique: Technique) -> None:
        """Axes the kernel does not see are mapped, one element never touches the next."""
        for example in self.examples(technique):
            checks.check_mapping(technique, example)

    def test_channels_apart(self, technique: Technique) -> None:
        """Channels that are not colour are never mixed."""
        checks.check_channels_apart(technique, self.example(technique))

    def test_lazy_reads_nothing(self, technique: Technique) -> None:
        """Building a lazy result touches no pixel."""
        for example in self.examples(technique):
            shape = (1,) if isinstance(technique.locality, Collection) else _array_shape(technique, example)
            checks.check_no_pixel_read(technique, example, checks.chunkings(shape)[0])

    def test_slice_reads_few_chunks(self, technique: Technique) -> None:
        """One slice of a stack reads a number of chunks that does not grow with the stack."""
        checks.check_slice_reads(technique, self.example(technique))

    def test_halo_is_sufficient(self, technique: Technique) -> None:
        """Pixels beyond the declared halo have no influence."""
        for example in self.halo_examples(technique):
            checks.check_halo(technique, example)

    def test_geometry_and_provenance(self, technique: Technique) -> None:
        """Volumes keep scale, origin, units and history."""
        for example in self.examples(technique):
            checks.check_geometry(technique, example)

    def test_strange_input(self, technique: Technique) -> None:
        """Empty, complex, object, NaN, constant and thin inputs give a result or one of our errors."""
        labels = technique.inputs[0].role.name in LABEL_ROLES
        for kind in ("uint8",) if labels else ("uint8", "float32"):
            for ndim in dimensions(technique):
                checks.check_strange_input(technique, self.example(technique, dtype=kind, ndim=ndim))


def _array_shape(technique: Technique, example: Example) -> tuple[int, ...]:
    first = example.inputs[0][0] if isinstance(technique.locality, Collection) else example.first
    return tuple(first.shape)
