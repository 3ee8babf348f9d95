"""Compare results: exact for integers, to a stated tolerance for floats."""

from __future__ import annotations

from typing import Any

import dask
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Points, Shapes, Table, TrainedModel, Transform

FLOAT_RTOL = 2e-4
FLOAT_ATOL = 2e-5


def as_outputs(result: Any) -> tuple[Any, ...]:
    """Return the outputs of `lb.apply` as a tuple, lazy parts computed."""
    outputs = tuple(result) if isinstance(result, tuple) else (result,)
    return tuple(_computed(o) for o in outputs)


def _computed(output: Any) -> Any:
    if isinstance(output, Volume):
        return np.asarray(output.data)
    return dask.compute(output)[0]


def assert_same(actual: Any, expected: Any, what: str = "result", rtol: float = FLOAT_RTOL, atol: float = FLOAT_ATOL) -> None:
    """Raise AssertionError unless two outputs agree: dtype and shape always, integers bit for bit, NaN equals NaN."""
    if expected is None:
        assert actual is None, f"{what}: {actual!r} is not None"
    elif isinstance(expected, Table):
        assert list(actual) == list(expected), f"{what}: columns {list(actual)} != {list(expected)}"
        for name in expected:
            assert_same(actual[name], expected[name], f"{what}.{name}", rtol, atol)
    elif isinstance(expected, TrainedModel):
        assert actual.card == expected.card, f"{what}: card {actual.card} != {expected.card}"
        assert list(actual.arrays) == list(expected.arrays), f"{what}: arrays {list(actual.arrays)} != {list(expected.arrays)}"
        for name in expected.arrays:
            assert_same(actual.arrays[name], expected.arrays[name], f"{what}.{name}", rtol, atol)
    elif isinstance(expected, Points):
        assert_same(actual.data, expected.data, what, rtol, atol)
    elif isinstance(expected, Shapes):
        assert len(actual.data) == len(expected.data), f"{what}: {len(actual.data)} shapes != {len(expected.data)}"
        for a, b in zip(actual.data, expected.data, strict=True):
            assert_same(a, b, what, rtol, atol)
    elif isinstance(expected, Transform):
        assert_same(actual.matrix, expected.matrix, what, rtol, atol)
    else:
        _assert_arrays(np.asarray(actual), np.asarray(expected), what, rtol, atol)


def _assert_arrays(actual: Any, expected: Any, what: str, rtol: float, atol: float) -> None:
    assert actual.dtype == expected.dtype, f"{what}: dtype {actual.dtype} != {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape} != {expected.shape}"
    if expected.dtype.kind in "fc":
        scale = float(np.nanmax(np.abs(expected), initial=1.0, where=np.isfinite(expected)))
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol * scale, err_msg=what)
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=what)
