"""Statistics: taken once, per scope, cached by content, never for frames nobody looks at."""

from __future__ import annotations

from typing import NamedTuple

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.contract import GlobalThenPointwise, Pass, Statistic, technique
from napari_lightbox.contract.roles import Image, Table, Value
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.engine.remembered import cache
from napari_lightbox.testing.sources import WatchedArray


def _sum(image, mask, previous, parameters):
    chosen = image if mask is None else image[mask]
    return int(chosen.sum()), chosen.size


def _spread(image, mask, previous, parameters):
    mean = previous[0] / previous[1]
    return float(np.round(((image - mean) ** 2).sum())), image.size


def _add(a, b):
    return a[0] + b[0], a[1] + b[1]


class Centred(NamedTuple):
    image: Image
    mean: Value


@technique("centre", title="Centre", family="test", locality=GlobalThenPointwise((Pass(_sum, _add),)), dtype="float32")
def centre(image: Image, *, scope: str = "element", statistic: Statistic) -> Centred:
    """Subtract the mean.

    For tests of the engine.

    Parameters
    ----------
    image
        Any image.
    scope
        What shares one mean.
    """
    mean = statistic[0] / statistic[1]
    return Centred((image - mean).astype(np.float32), mean)


@technique("spread", title="Spread", family="test", locality=GlobalThenPointwise((Pass(_sum, _add), Pass(_spread, _add))))
def spread(image: Image, *, statistic: Statistic) -> Table:
    """Measure the variance in two passes.

    For tests of the engine.

    Parameters
    ----------
    image
        Any image.
    """
    return TableValue({"variance": np.array([statistic[0] / statistic[1]])})


VIDEO = np.random.default_rng(0).integers(0, 200, (6, 20, 24)).astype(np.uint8) + np.arange(6, dtype=np.uint8)[:, None, None]


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.mark.parametrize("scope", ["layer", "element"])
def test_scopes(scope: str) -> None:
    lazy = da.from_array(VIDEO, chunks=(4, 7, 24))
    eager = lb.apply(centre.technique, VIDEO, axes="tyx", scope=scope)
    tiled = lb.apply(centre.technique, lazy, axes="tyx", scope=scope)
    expected = VIDEO.mean() if scope == "layer" else VIDEO.mean(axis=(1, 2))
    np.testing.assert_allclose(eager.mean, expected)
    np.testing.assert_allclose(tiled.mean.compute(), expected)
    np.testing.assert_array_equal(tiled.image.compute(), eager.image)


def test_a_frame_with_its_own_statistic_reads_only_itself() -> None:
    watched = WatchedArray(VIDEO)
    tiled = lb.apply(centre.technique, watched.lazy((1, 20, 24)), axes="tyx").image
    np.asarray(tiled[2])
    assert {(b[0].start, b[0].stop) for b in watched.reads} == {(2, 3)}


def test_the_second_slice_does_not_measure_again() -> None:
    watched = WatchedArray(VIDEO)
    lazy = watched.lazy((1, 20, 24))
    np.asarray(lb.apply(centre.technique, lazy, axes="tyx", scope="layer").image[0])
    assert len(watched.reads) >= 6
    watched.reads.clear()
    np.asarray(lb.apply(centre.technique, lazy, axes="tyx", scope="layer").image[3])
    assert len(watched.reads) == 1


def test_other_content_is_measured_anew() -> None:
    one = lb.apply(centre.technique, da.from_array(VIDEO, chunks=3), axes="tyx", scope="layer").mean.compute()
    two = lb.apply(centre.technique, da.from_array(VIDEO // 2, chunks=3), axes="tyx", scope="layer").mean.compute()
    assert one != two


def test_two_passes_and_tables_alone() -> None:
    eager = lb.apply(spread.technique, VIDEO, axes="tyx")
    tiled = lb.apply(spread.technique, da.from_array(VIDEO, chunks=(2, 9, 9)), axes="tyx").compute()
    np.testing.assert_allclose(eager["variance"], VIDEO.var(axis=(1, 2)), rtol=1e-3)
    np.testing.assert_allclose(tiled["variance"], eager["variance"], rtol=1e-3)
    assert tiled["t"].tolist() == list(range(6))


def test_values_cost_no_block_twice() -> None:
    watched = WatchedArray(VIDEO)
    result = lb.apply(centre.technique, watched.lazy((1, 20, 24)), axes="tyx")
    result.image.compute()
    reads = len(watched.reads)
    np.testing.assert_allclose(result.mean.compute(), VIDEO.mean(axis=(1, 2)))
    assert len(watched.reads) == reads


def test_one_value_for_the_layer_needs_one_block() -> None:
    watched = WatchedArray(VIDEO)
    result = lb.apply(centre.technique, watched.lazy((1, 20, 24)), axes="tyx", scope="layer")
    np.asarray(result.image[0])
    watched.reads.clear()
    np.testing.assert_allclose(result.mean.compute(), VIDEO.mean())
    assert len(watched.reads) <= 1
