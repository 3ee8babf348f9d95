"""Statistics of neighbourhoods of painted pixels, then a map with a halo: only what was painted is read."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import ExtraAxis, GlobalThenPointwise, Pass, Range, Statistic, Where, registry, technique
from napari_lightbox.contract.roles import Image, Model, Seeds
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.request import Request
from napari_lightbox.testing.sources import WatchedArray


def _blurred(image: Any, radius: int) -> Any:
    return ndimage.uniform_filter(image.astype(np.int64) * (2 * radius + 1) ** image.ndim, 2 * radius + 1, mode="reflect")


def _painted(blocks: Any, mask: Any, previous: Any, parameters: Any, where: Any) -> tuple[int, int]:
    image, seeds = blocks
    own = tuple(slice(o - s, o - s + n) for o, s, n in zip(where.out_start, where.start, where.out_shape, strict=True))
    chosen = _blurred(image, parameters["radius"])[own][seeds[own] > 0]
    return int(chosen.sum()), chosen.size


def _level(state: Any, parameters: Any) -> float:
    if state is None:
        return float(parameters["model"] or -1)
    return float(state[0] // state[1])


class Above(NamedTuple):
    image: Image
    stack: Annotated[Image, ExtraAxis("l")]


@technique(
    "above_painted",
    title="Above painted",
    family="test",
    dtype="int64",
    locality=GlobalThenPointwise(
        (Pass(_painted, lambda a, b: (a[0] + b[0], a[1] + b[1]), positioned=True, joint=True, around=True, only="seeds"),),
        finish=_level,
        radius=lambda p, extent: p["radius"],
    ),
)
def above_painted(
    image: Image,
    seeds: Seeds | None = None,
    model: Model | None = None,
    *,
    radius: Annotated[int, Range(0, 9)] = 3,
    scope: str = "layer",
    statistic: Statistic,
    where: Where,
) -> Above:
    """Subtract the mean of what was painted from the blurred image.

    For tests of the engine.

    Parameters
    ----------
    image
        Any image.
    seeds
        Where to take the level.
    model
        The level, when nothing is painted.
    radius
        Of the blur.
    scope
        What shares a level.
    """
    found = _blurred(image, radius) - int(statistic)
    return Above(found, np.stack([found, -found]))


RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 200, (8, 64, 64)).astype(np.uint8)
SEEDS = np.zeros(STACK.shape, np.int32)
SEEDS[5, 40, 30:36] = 1


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.mark.parametrize("chunks", [(3, 64, 64), (8, 10, 64), (5, 33, 7)])
@pytest.mark.parametrize("lazy_seeds", [False, True])
def test_tiled_equals_whole(chunks: tuple[int, ...], lazy_seeds: bool) -> None:
    eager = lb.apply(above_painted.technique, STACK, SEEDS, axes="zyx")
    seeds = da.from_array(SEEDS, chunks=(4, 16, 64)) if lazy_seeds else SEEDS
    lazy = lb.apply(above_painted.technique, da.from_array(STACK, chunks=chunks), seeds, axes="zyx")
    np.testing.assert_array_equal(np.asarray(lazy.image), eager.image)
    np.testing.assert_array_equal(np.asarray(lazy.stack), eager.stack)
    expected = _blurred(STACK, 3)
    np.testing.assert_array_equal(eager.image, expected - int(expected[SEEDS > 0].sum() // 6))


@pytest.mark.parametrize("lazy_seeds", [False, True])
def test_blocks_without_paint_are_not_read(lazy_seeds: bool) -> None:
    long = np.concatenate([STACK] * 8)
    seeds = np.zeros(long.shape, np.int32)
    seeds[37, 40, 30:36] = 1
    watched = WatchedArray(long)
    given = da.from_array(seeds, chunks=(8, 64, 64)) if lazy_seeds else seeds
    result = lb.apply(above_painted.technique, watched.lazy((1, 64, 64)), given, axes="zyx")
    assert not watched.reads
    np.asarray(result.image[2])
    planes = sorted({box[0].start for box in watched.reads})
    # NumPy seeds are looked at in cells of 32, chunks of seeds as chunks: around plane 37, and around the visible plane 2
    assert set(planes) <= {0, 1, 2, 3, 4, 5} | set(range(29, 67))
    watched.reads.clear()
    np.asarray(result.image[3])
    assert sorted(box[0].start for box in watched.reads) == [0, 1, 2, 3, 4, 5, 6], "the statistic was taken twice"


def test_one_group_per_frame_and_groups_without_paint() -> None:
    seeds = np.zeros(STACK.shape, np.int32)
    seeds[0, 3, 3], seeds[6, 50:60, 50] = 1, 2
    options = {"axes": "tyx", "scope": "element"}
    eager = lb.apply(above_painted.technique, STACK, seeds, **options).image
    lazy = lb.apply(above_painted.technique, da.from_array(STACK, chunks=(3, 20, 64)), seeds, **options).image
    np.testing.assert_array_equal(np.asarray(lazy), eager)
    expected = np.stack([_blurred(frame, 3) for frame in STACK])
    np.testing.assert_array_equal(eager[4], expected[4] + 1)
    np.testing.assert_array_equal(eager[0], expected[0] - expected[0, 3, 3])
    layer = lb.apply(above_painted.technique, da.from_array(STACK, chunks=(3, 20, 64)), seeds, axes="tyx").image
    np.testing.assert_array_equal(np.asarray(layer), expected - expected[seeds > 0].sum() // 11)


def test_values_reach_the_end_of_a_statistic_and_absent_seeds_are_no_paint() -> None:
    for image in (STACK, da.from_array(STACK, chunks=(2, 64, 64))):
        for seeds in (None, np.zeros_like(SEEDS)):
            result = lb.apply(above_painted.technique, image, seeds, "17", axes="zyx").image
            np.testing.assert_array_equal(np.asarray(result), _blurred(STACK, 3) - 17)


def test_a_changed_model_file_is_read_again(tmp_path) -> None:
    import os

    from napari_lightbox.engine.bind import bind
    from napari_lightbox.engine.gather import make_gather
    from napari_lightbox.engine.lower_region import token_of

    path = tmp_path / "model"
    names = []
    for text in ("one", "two!"):
        path.write_text(text)
        os.utime(path, ns=(len(names), len(names)))
        bound = bind(above_painted.technique, (da.from_array(STACK, chunks=4, name="s"), None, str(path)), {}, axes="zyx")
        names.append(token_of(bound, make_gather(bound), "view"))
    assert names[0] != names[1]


def test_lengths_that_only_the_data_tell_are_known_after_a_run() -> None:
    geometry = Geometry.of("zyx", STACK.shape, (2, 1, 1))
    lazy = Volume(da.from_array(STACK, chunks=(3, 64, 64)), geometry)
    with registry.temporary(above_painted.technique):
        for keep_lazy in (True, False):
            request = Request("above_painted", (lazy, Volume(SEEDS, geometry, role="labels")), lazy=keep_lazy)
            stack = execute(request, Control()).outputs["stack"]
            assert stack.shape == stack.data.shape == (2, *STACK.shape)
            assert isinstance(stack.data, da.Array) == keep_lazy
            np.testing.assert_array_equal(np.asarray(stack.data[1]), -np.asarray(stack.data[0]))


def test_a_preview_is_the_part_of_the_whole_even_where_a_length_is_unknown() -> None:
    geometry = Geometry.of("zyx", STACK.shape, (2, 1, 1))
    whole = lb.apply(above_painted.technique, STACK, SEEDS, axes="zyx")
    for chunks in (None, (3, 20, 30)):
        data = STACK if chunks is None else da.from_array(STACK, chunks=chunks)
        inputs = (Volume(data, geometry), Volume(SEEDS, geometry, role="labels"))
        region = (slice(2, 7), slice(10, 41), slice(29, 64))
        with registry.temporary(above_painted.technique):
            seen = execute(Request("above_painted", inputs, region=region, preview=True), Control()).outputs
        np.testing.assert_array_equal(seen["image"].data, whole.image[region])
        np.testing.assert_array_equal(seen["stack"].data, whole.stack[(slice(None), *region)])
        assert seen["stack"].shape == (2, 5, 31, 35)
        np.testing.assert_allclose(seen["stack"].geometry.affine[1:4, -1], (4, 10, 29))
