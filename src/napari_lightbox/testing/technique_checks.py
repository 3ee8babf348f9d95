"""The promises every technique keeps, as functions that raise AssertionError."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import (
    Collection,
    Halo,
    Plane,
    Pointwise,
    Recipe,
    Step,
    Technique,
    describe,
)
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.bind import bind
from napari_lightbox.engine.blocking import check_radius
from napari_lightbox.engine.make_kernel import make_plans
from napari_lightbox.errors import InputError, LightboxError, ParameterError
from napari_lightbox.testing.compare import as_outputs, assert_same
from napari_lightbox.testing.examples import Example
from napari_lightbox.testing.sources import WatchedArray

LOCAL = (Pointwise, Halo, Plane)


def run(technique: Technique, example: Example, **changes: Any) -> Any:
    """Call `lb.apply` on an example."""
    return lb.apply(technique, *example.inputs, **(example.options | changes))


def check_contract(technique: Technique) -> None:
    """Documentation is complete, defaults are allowed, schema and recipe survive JSON."""
    doc = technique.documentation
    assert doc.summary.endswith("."), "the summary is not a sentence"
    assert doc.description, "nothing says when to use it"
    for parameter in technique.parameters:
        assert doc.parameters.get(parameter.name), f"parameter {parameter.name} has no help"
        if parameter.default is not None:
            assert parameter.check(parameter.default) == parameter.default, f"default of {parameter.name} is not allowed"
    schema = describe(technique)
    assert json.loads(json.dumps(schema)) == json.loads(json.dumps(schema))
    recipe = Recipe((Step(technique.id, technique.complete({})),))
    again = Recipe.from_json(recipe.to_json())
    assert technique.complete(again.steps[0].parameters) == technique.complete({})


def check_bad_parameters(technique: Technique, example: Example) -> None:
    """Unknown names and values out of range are refused by name."""
    with_unknown = {"no_such_parameter": 1}
    _raises(ParameterError, "no_such_parameter", lambda: run(technique, example, **with_unknown))
    for p in technique.parameters:
        if p.range.low is not None and p.kind in ("int", "float"):
            below = p.range.low - 1
            _raises(ParameterError, p.name, lambda name=p.name, value=below: run(technique, example, **{name: value}))
        if p.kind == "choice":
            _raises(ParameterError, p.name, lambda name=p.name: run(technique, example, **{name: "no such choice"}))


def _raises(kind: type[Exception], mention: str, call: Any) -> None:
    try:
        call()
    except kind as error:
        assert mention in str(error), f"the message does not name {mention}: {error}"
    else:
        raise AssertionError(f"{mention}: no {kind.__name__}")


def check_read_only(technique: Technique, example: Example) -> None:
    """Inputs may be read-only, are not modified, and equal calls give equal bits."""
    before = [np.array(v, copy=True) if isinstance(v, np.ndarray) else v for v in example.inputs]
    for value in example.inputs:
        for array in value if isinstance(value, list) else [value]:
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
    first = as_outputs(run(technique, example))
    second = as_outputs(run(technique, example))
    for a, b in zip(first, second, strict=True):
        assert_same(a, b, "second run", rtol=0, atol=0)
    for old, new in zip(before, example.inputs, strict=True):
        if isinstance(new, np.ndarray):
            np.testing.assert_array_equal(old, new)


def check_dtype(technique: Technique, example: Example) -> None:
    """Every output has the declared dtype; types that make no sense are refused politely."""
    try:
        outputs = as_outputs(run(technique, example))
    except (InputError, ParameterError):
        return
    bound = bind(technique, example.inputs, example.parameters, axes=example.axes, spacing=example.spacing, over=example.over)
    for plan, output in zip(make_plans(bound), outputs, strict=True):
        if plan is not None and output is not None:
            assert output.dtype == plan.dtype, f"{plan.spec.name}: {output.dtype} is not the declared {plan.dtype}"


def check_lazy_equals_eager(technique: Technique, example: Example, chunks: Sequence[int], mask: Any = None) -> None:
    """A tiled lazy run gives what the eager run gives."""
    if isinstance(technique.locality, Collection):
        lazy = example.with_first([da.from_array(a, chunks=-1) for a in example.inputs[0]])
    else:
        lazy = example.with_first(da.from_array(example.first, chunks=tuple(chunks), name=False))
    expected = as_outputs(run(technique, example, mask=mask))
    result = run(technique, lazy, mask=mask)
    for spec, output in zip(technique.outputs, result if isinstance(result, tuple) else (result,), strict=True):
        assert output is None or not isinstance(output, np.ndarray), f"{spec.name} is not lazy"
    for spec, a, b in zip(technique.outputs, as_outputs(result), expected, strict=True):
        assert_same(a, b, f"{spec.name} in chunks {tuple(chunks)}")


def check_mapping(technique: Technique, example: Example) -> None:
    """Stacking two different elements along an axis the kernel does not see changes neither."""
    if isinstance(technique.locality, (Collection, SequenceLocality)) or "scope" in technique.signature.by_name:
        return
    other = example.first[tuple(slice(None, None, -1) for _ in example.first.shape)]
    result = as_outputs(run_stacked(technique, example, np.stack([example.first, other])))
    for position, single in enumerate((example, example.with_first(other))):
        expected = as_outputs(run(technique, single))
        for spec, many, one in zip(technique.outputs, result, expected, strict=True):
            if isinstance(one, np.ndarray) and one.ndim and spec.is_array:
                own = many[:, position] if spec.extra_axis else many[position]
                assert_same(own, one, f"{spec.name} of element {position}")


def run_stacked(technique: Technique, example: Example, stack: Any) -> Any:
    """Run an example whose first input became a stack along a new axis; aligned inputs are repeated along it."""
    rest = [
        np.stack([value] * len(stack)) if spec.is_array and spec.role.aligned and value is not None else value
        for spec, value in zip(technique.inputs[1:], example.inputs[1:], strict=False)
    ]
    spacing = None if example.spacing is None else (1.0, *example.spacing)
    options = example.options | {"axes": "q" + example.axes, "over": example.kernel_axes, "spacing": spacing}
    if example.axes.endswith("c"):
        options["spacing"] = None
    return lb.apply(technique, stack, *rest, **options)


def check_no_pixel_read(technique: Technique, example: Example, chunks: Sequence[int]) -> None:
    """Building a lazy result reads nothing."""
    if isinstance(technique.locality, Collection):
        inputs = [WatchedArray(a, forbidden=True).lazy(-1) for a in example.inputs[0]]
        run(technique, example.with_first(inputs))
        return
    run(technique, example.with_first(WatchedArray(example.first, forbidden=True).lazy(tuple(chunks))))


def check_slice_reads(technique: Technique, example: Example) -> None:
    """One slice of a long stack reads a number of chunks that does not grow with the stack."""
    if not isinstance(technique.locality, LOCAL):
        return
    counts = []
    for length in (8, 32):
        stack = np.stack([example.first] * length)
        watched = WatchedArray(stack)
        result = run_stacked(technique, example, watched.lazy((1, *example.first.shape)))
        main = result[0] if isinstance(result, tuple) else result
        watched.reads.clear()
        np.asarray(main[length // 2])
        counts.append(len(watched.reads))
    assert counts[0] == counts[1] <= 2, f"chunks read for one slice of 8 and 32: {counts}"


def check_halo(technique: Technique, example: Example) -> None:
    """Pixels further away than the declared radius have no influence: none on integers, 1e-9 of the range on float64."""
    if not isinstance(technique.locality, Halo) or technique.grid is not None:
        return
    bound = bind(technique, example.inputs, example.parameters, axes=example.axes, spacing=example.spacing, over=example.over)
    radius = check_radius(bound, technique.locality)
    center = tuple(n // 2 for n in bound.shape)
    before = as_outputs(run(technique, example))
    grids = np.meshgrid(*[np.abs(np.arange(n) - c) for n, c in zip(bound.shape, center, strict=True)], indexing="ij")
    far = np.zeros(bound.shape, bool)
    for grid, r in zip(grids, radius, strict=True):
        far |= grid > r
    if not far.any():
        return
    changed = example.first.copy()
    flipped = np.flip(changed)[far]
    changed[far] = flipped if changed.dtype.kind == "b" else flipped + changed.dtype.type(1)
    after = as_outputs(run(technique, example.with_first(changed)))
    for spec, a, b in zip(technique.outputs, after, before, strict=True):
        if spec.is_array and a is not None:
            place = (slice(None), *center) if spec.extra_axis else center
            what = f"{spec.name} beyond the halo {radius}"
            assert_same(np.asarray(a[place]), np.asarray(b[place]), what, rtol=1e-9, atol=1e-9)


def check_geometry(technique: Technique, example: Example) -> None:
    """Volumes keep geometry and say how they were made."""
    if isinstance(technique.locality, Collection):
        return
    axes = example.axes
    affine = np.eye(len(axes) + 1)
    affine[:-1, -1] = np.arange(1, len(axes) + 1) * 7.5
    affine[range(len(axes)), range(len(axes))] = [2.0 if a == "z" else 1.5 if a == "t" else 1.0 for a in axes]
    geometry = Geometry(axes, example.first.shape, affine, tuple("s" if a == "t" else "mm" for a in axes))
    inputs = [Volume(v, geometry) if getattr(v, "shape", None) == example.first.shape else v for v in example.inputs]
    inputs[0] = Volume(example.first, geometry, {"patient": "phantom"}, name="phantom")
    result = lb.apply(technique, *inputs, over=example.over, **example.parameters)
    outputs = result if isinstance(result, tuple) else (result,)
    for spec, output in zip(technique.outputs, outputs, strict=True):
        if not spec.is_array or output is None:
            continue
        assert isinstance(output, Volume), f"{spec.name} is no Volume"
        steps = output.metadata["provenance"]
        assert steps[-1]["technique"] == technique.id
        assert output.metadata["patient"] == "phantom"
        if technique.grid is None and output.axes == axes:
            assert output.geometry == geometry, f"{spec.name} moved"


def check_strange_input(technique: Technique, example: Example) -> None:
    """Empty, complex, object, NaN, constant and one-pixel-thin inputs give a result or one of our errors."""
    if isinstance(technique.locality, Collection):
        return
    for wrong in (example.first[:0], example.first.astype(complex), example.first.astype(object)):
        _raises(InputError, technique.inputs[0].name, lambda value=wrong: run(technique, example.with_first(value)))
    for strange in _strange(example):
        fitted = _fitted(technique, example, strange)
        try:
            outputs = as_outputs(run(technique, fitted))
        except LightboxError as error:
            assert error.way_out, "the error offers no way out"
        else:
            assert len(outputs) == len(technique.outputs)


def _strange(example: Example) -> list[Any]:
    first = example.first
    thin = [first[tuple(slice(0, 1) if i == axis else slice(None) for i in range(first.ndim))] for axis in range(first.ndim)]
    single = first[(slice(0, 1),) * first.ndim]
    constant = np.full_like(first, first.flat[0])
    strange = [*thin, single, constant]
    if first.dtype.kind == "f":
        holed = first.copy()
        holed[(0,) * first.ndim] = np.nan
        infinite = first.copy()
        infinite[(-1,) * first.ndim] = np.inf
        strange += [holed, np.full_like(first, np.nan), infinite]
    return strange


def _fitted(technique: Technique, example: Example, first: Any) -> Example:
    """Return the example with a strange first input and aligned inputs cut to its shape."""
    rest = []
    for spec, value in zip(technique.inputs[1:], example.inputs[1:], strict=False):
        aligned = spec.is_array and spec.role.aligned and value is not None
        rest.append(value[tuple(slice(0, n) for n in first.shape)] if aligned else value)
    return Example((first, *rest), example.axes, example.spacing, example.over, example.parameters)


def check_channels_apart(technique: Technique, example: Example) -> None:
    """Channels that are not colour are never mixed."""
    if technique.channels != "each" or isinstance(technique.locality, (Collection, SequenceLocality)):
        return
    other = np.flip(example.first)
    both = np.stack([example.first, other], axis=-1)
    options = example.options | {"axes": example.axes + "c", "over": example.kernel_axes}
    result = as_outputs(lb.apply(technique, both, *example.inputs[1:], **options))
    expected = as_outputs(run(technique, example))
    for spec, many, one in zip(technique.outputs, result, expected, strict=True):
        if spec.is_array and isinstance(one, np.ndarray):
            assert_same(many[..., 0], one, f"{spec.name} of channel 0")


def chunkings(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Return a few chunkings of a shape: one pixel more than half, thirds, thin along the first axis."""
    half = tuple(n // 2 + 1 for n in shape)
    third = tuple(max(n // 3, 1) for n in shape)
    thin = (1, *shape[1:])
    return list(dict.fromkeys([half, third, thin]))
