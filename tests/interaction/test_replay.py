"""A log replayed without a window gives the same labels bit for bit, or says why not."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from tests.interaction.conftest import Person, phantom, seeded

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError, RecipeError
from napari_lightbox.interaction import replay, source_hashes
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.layout import Layout
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.interaction.replay import replay_log

ENGINES = [
    ("marker_controlled_watershed", {"watershed_line": False}),
    ("random_walker", {"beta": 90.0, "tol": 1e-4}),
    ("region_growing", {}),
]


def check(person: Person, tmp_path, sources=None, **options) -> InteractionLog:
    """Save, load and replay; compare with what the person has."""
    person.log.save(tmp_path / "work.lightbox-log")
    log = InteractionLog.load(tmp_path / "work.lightbox-log")
    found = replay_log(log, sources or {"image": person.image}, **options)
    for name, array in person.arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name].data, array)
        assert found[name].geometry == person.geometry
    assert person.arrays["organs"].any()
    return log


@pytest.mark.parametrize("dimension", ["flat", "solid"])
@pytest.mark.parametrize(("engine", "parameters"), ENGINES)
def test_a_session_with_corrections_and_undo(dimension, engine, parameters, request, tmp_path) -> None:
    person = request.getfixturevalue(dimension)
    person.run(engine, **parameters)  # looked at, not accepted
    person.paint("seeds", (slice(5, 7),) * person.geometry.ndim, 3)
    number, result = person.run(engine, **parameters)
    person.paint("seeds", (slice(8, 9),) * person.geometry.ndim, 9)  # while it ran
    person.accept(number, result, ids=[1, 2])
    person.undo()
    person.paint("organs", (slice(0, 3),) * person.geometry.ndim, 1)  # a correction
    person.paint("organs", (slice(0, 2),) * person.geometry.ndim, 0)
    person.undo()
    number, result = person.run(engine, **parameters)
    person.accept(number, result, ids=[2])
    check(person, tmp_path)


@pytest.mark.parametrize(("engine", "parameters"), ENGINES)
def test_a_plane_and_a_box_of_a_volume_land_where_they_were(engine, parameters, solid, tmp_path) -> None:
    plane = (slice(4, 5), slice(0, 30), slice(0, 32))
    box = (slice(1, 13), slice(2, 28), slice(None, 30))
    solid.paint("seeds", (slice(4, 5), slice(0, 2), slice(0, 9)), 3)
    solid.paint("seeds", (slice(1, 2), slice(2, 4), slice(0, 9)), 3)
    solid.paint("seeds", (slice(4, 5), slice(20, 22), slice(20, 22)), 2)
    for region, ids in ((plane, None), (box, [1, 3])):
        number, result = solid.run(engine, region=region, **parameters)
        solid.accept(number, result, ids, box=tuple(slice(*s.indices(n)) for s, n in zip(region, (14, 30, 32), strict=True)))
    check(solid, tmp_path)


def test_inputs_cut_by_the_caller_are_found_in_their_image(solid, tmp_path) -> None:
    box = (slice(2, 12), slice(3, 29), slice(1, 31))
    start, shape = [s.start for s in box], [s.stop - s.start for s in box]
    solid.paint("seeds", (slice(3, 4), slice(4, 6), slice(3, 9)), 3)
    cut = [replace(v, data=v.data[box], geometry=v.geometry.crop(start, shape)) for v in (solid.image, solid.volume("seeds"))]
    number, result = solid.run("random_walker", inputs=tuple(cut))
    solid.accept(number, result, box=box)
    log = check(solid, tmp_path)
    assert not list(log.arrays)  # kept by reference
    elsewhere = replace(cut[0], geometry=cut[0].geometry.crop((9, 9, 9), shape))
    with pytest.raises(RecipeError, match="no part of source:image"):
        solid.run("random_walker", inputs=(elsewhere, cut[1]))


def test_masks_are_kept_as_they_were(solid, tmp_path) -> None:
    solid.paint("organs", (slice(1, 13), slice(1, 28), slice(1, 30)), 5)
    for mask, names in (
        (solid.volume("organs"), {"image": "source:image", "seeds": "target:seeds", "mask": "target:organs"}),
        (solid.volume("organs").with_data(solid.arrays["organs"] == 5), None),
    ):
        solid.paint("seeds", (slice(2, 3),) * 3, 3)
        number, result = solid.run("random_walker", mask=mask, names=names)
        solid.accept(number, result, ids=[1, 2, 5])
    log = check(solid, tmp_path)
    assert len(list(log.arrays)) == 1


def test_colour_and_wide_ids(tmp_path) -> None:
    person = seeded(Person(phantom((40, 44), dtype=np.uint8, colours=3), dtype=np.uint32))
    person.paint("seeds", (slice(20, 22), slice(5, 9)), 2_000_000_000)
    number, result = person.run("random_walker")
    person.accept(number, result)
    check(person, tmp_path)
    assert person.arrays["organs"].max() == 2_000_000_000


@pytest.mark.parametrize("lazy", [False, True])
def test_a_layer_that_held_something_and_one_frame_of_a_film(lazy, tmp_path) -> None:
    frames = np.stack([phantom((30, 32), seed=i).data for i in range(5)])

    def stored(array: np.ndarray) -> Any:
        return da.from_array(array, chunks=(1, 30, 32)) if lazy else array

    image = Volume(stored(frames), Geometry.of("tyx", frames.shape))
    log, held = InteractionLog(), np.zeros(frames.shape, np.int32)
    held[:, :3, :3], held[2, 8:10, 9:11], held[2, 20:22, 22:24] = 3, 1, 2
    log.add_source("film", image)
    log.add_target("work", image.geometry, held.dtype, held)
    labels = Volume(held.copy(), image.geometry, role="labels")
    request = Request("random_walker", (image, labels), region=(slice(2, 3), slice(0, 30), slice(0, 32)), preview=True)
    number = log.run(request, {"image": "source:film", "seeds": "target:work"})
    result = execute(request, Control()).main
    log.accept(number, "work", None)
    log.save(tmp_path / "a.lightbox-log")
    found = replay_log(InteractionLog.load(tmp_path / "a.lightbox-log"), {"film": image})["work"].data
    expected = held.copy()
    expected[2] = np.asarray(result.data)[0]
    np.testing.assert_array_equal(found, expected)
    for frame, checked in ((2, True), (4, not lazy)):  # to look at all frames of a lazy film could take hours
        changed = frames.copy()
        changed[frame] += 1
        with pytest.raises(RecipeError, match="other pixels") if checked else nullcontext():
            replay_log(log, {"film": image.with_data(stored(changed))})


def test_of_a_large_image_what_was_read_is_checked_and_no_more(monkeypatch) -> None:
    monkeypatch.setattr(source_hashes, "WHOLE_HASH_BYTES", 0)
    read: list[int] = []

    def frame(block, block_info=None):
        read.extend([block_info[0]["array-location"][0][0]] if block_info else [])
        return block

    frames = np.stack([phantom((30, 32), seed=i).data for i in range(6)])
    image = Volume(da.from_array(frames, chunks=(1, 30, 32)).map_blocks(frame), Geometry.of("tyx", frames.shape))
    seeds = np.zeros(frames.shape, np.int32)
    seeds[:, :3, :3], seeds[:, 20:22, 22:24] = 3, 2
    log = InteractionLog()
    log.add_source("film", image)
    log.add_target("work", image.geometry, seeds.dtype, seeds)
    for number in (2, 4):
        region = (slice(number, number + 1), slice(0, 30), slice(0, 32))
        request = Request("random_walker", (image, Volume(seeds, image.geometry, role="labels")), region=region, preview=True)
        log.accept(log.run(request, {"image": "source:film", "seeds": "target:work"}), "work", None)
    assert len(log.hashes.known()) == 2
    assert set(read) == {2, 4}
    for changed, refused in ((0, False), (2, True), (4, True)):
        other = frames.copy()
        other[changed] += 1
        if refused:
            with pytest.raises(RecipeError, match="other pixels"):
                replay_log(log, {"film": image.with_data(other)})
        else:
            replay_log(log, {"film": image.with_data(other)})


def test_a_lazy_result_is_that_of_the_seeds_at_its_time(tmp_path) -> None:
    image = phantom((8, 30, 32))
    person = seeded(Person(image.with_data(da.from_array(image.data, chunks=(2, 30, 32)))))
    seeds = person.volume("seeds").with_data(person.arrays["seeds"].copy())
    expected = execute(Request("random_walker", (person.image, seeds), lazy=False), Control()).main
    number, _ = person.run("random_walker")
    person.paint("seeds", (slice(0, 8), slice(20, 30), slice(0, 5)), 2)
    person.accept(number, expected)
    check(person, tmp_path)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), "lazy"])
def test_layouts_come_back(order) -> None:
    values = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    lazy = da.from_array(values, chunks=(2, 6, 4))
    stored = lazy if order == "lazy" else np.ascontiguousarray(values.transpose(order)).transpose(np.argsort(order))
    layout = Layout.from_json(json.loads(json.dumps(Layout.of(stored).to_json())))
    for other in (values, np.asfortranarray(values), lazy, da.from_array(values, chunks=5)):
        found = layout.restore(other)
        np.testing.assert_array_equal(np.asarray(found), values)
        if order == "lazy":
            assert found.chunksize == lazy.chunksize
        else:
            assert found.strides == stored.strides
            assert found.sum() == stored.sum()  # in the last bit too


def test_seeds_that_are_in_no_layer_are_kept_in_the_log(flat, tmp_path) -> None:
    drawn = flat.volume("seeds").with_data(flat.arrays["seeds"].copy())
    for _ in range(3):
        number, result = flat.run("random_walker", inputs=(flat.image, drawn), names={"image": "source:image"})
    flat.accept(number, result)
    log = check(flat, tmp_path)
    assert len(list(log.arrays)) == 1


@pytest.mark.parametrize("order", ["C", "F", "lazy"])
def test_the_same_bits_however_the_image_comes_back(order, tmp_path) -> None:
    rng = np.random.default_rng(3)
    data = (phantom((20, 24, 26)).data + rng.normal(0, 1, (20, 24, 26))).astype(np.float32)
    stored = {"C": data, "F": np.asfortranarray(data), "lazy": da.from_array(data, chunks=(4, 24, 13))}
    image = Volume(stored[order], Geometry.of("zyx", data.shape, (2, 1, 1)))
    person = seeded(Person(image))
    number, result = person.run("random_walker", mode="cg_j", tol=0.05)
    person.accept(number, result)
    for other in stored.values():
        check(person, tmp_path, {"image": image.with_data(other)})


def test_only_what_was_accepted_is_computed_again(flat, monkeypatch) -> None:
    calls: list[float] = []
    run = replay.execute
    monkeypatch.setattr(replay, "execute", lambda r, c: calls.append(r.parameters["beta"]) or run(r, c))
    for beta in (1.0, 2.0, 3.0):
        number, result = flat.run("random_walker", beta=beta)
    flat.accept(number, result)
    flat.accept(number, result, ids=[1])
    found = replay_log(flat.log, {"image": flat.image})
    np.testing.assert_array_equal(found["organs"].data, flat.arrays["organs"])
    assert calls == [3.0]
    assert [p["technique"] for p in found["organs"].metadata["accepted"]] == ["random_walker"] * 2


def test_another_image_is_refused_unless_forced(flat) -> None:
    number, result = flat.run("random_walker")
    flat.accept(number, result)
    flat.paint("organs", (slice(0, 4), slice(0, 4)), 2)
    other = phantom((48, 56), (0.5, 0.5), seed=7)
    with pytest.raises(RecipeError, match=r"image: has other pixels .* --force"):
        replay_log(flat.log, {"image": other})
    with pytest.raises(RecipeError, match=r"scan\.nii\.gz"):
        replay_log(flat.log, {})
    with pytest.raises(RecipeError, match=r"int16 \(40, 56\)"):
        replay_log(flat.log, {"image": phantom((40, 56))}, force=True)
    found = replay_log(flat.log, {"image": other}, force=True)
    expected = lb.apply("random_walker", other, flat.volume("seeds"))[0].data.copy()
    expected[:4, :4] = 2
    np.testing.assert_array_equal(found["organs"].data, expected)
    assert found["organs"].geometry.spacing == (0.5, 0.5)
    assert not np.array_equal(expected, flat.arrays["organs"])


def test_an_incomplete_log_says_so(flat) -> None:
    array = flat.arrays["seeds"]
    array[30, 30] = 1  # painted, but the log was not told
    flat.paint("seeds", (slice(29, 32), slice(29, 32)), 2)
    with pytest.raises(RecipeError, match=r"seeds: does not hold what was painted over .*\(30, 30\)"):
        replay_log(flat.log, {})


def test_a_run_that_gives_something_else_is_noticed(flat) -> None:
    flat.arrays["seeds"][20:24, 40:44] = 2  # not logged
    number, result = flat.run("random_walker")
    flat.accept(number, result)
    with pytest.raises(RecipeError, match="other pixels from random_walker"):
        replay_log(flat.log, {"image": flat.image})


def test_painting_alone_needs_no_image(flat) -> None:
    assert (replay_log(flat.log, {})["seeds"].data == flat.arrays["seeds"]).all()


def test_progress_and_cancel(flat) -> None:
    number, result = flat.run("random_walker")
    flat.accept(number, result)
    seen: list[float] = []
    replay_log(flat.log, {"image": flat.image}, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(fraction: float, message: str) -> None:
        raise CancelledError("run", "was cancelled", "Start again")

    with pytest.raises(CancelledError):
        replay_log(flat.log, {"image": flat.image}, stop)


def test_results_that_are_no_labels_are_refused(flat) -> None:
    number = flat.log.run(Request("region_properties", (flat.volume("seeds"),)), {"labels": "target:seeds"})
    flat.log.accept(number, "organs", None)
    with pytest.raises(RecipeError, match="no labels"):
        replay_log(flat.log, {"image": flat.image})


def test_delta_of_an_accept_is_checked_even_when_nothing_changed(flat) -> None:
    number, result = flat.run("random_walker")
    flat.accept(number, result)
    flat.log.accept(number, "organs", None, change=Delta.between(np.zeros(3, int), np.ones(3, int)))
    with pytest.raises(RecipeError, match="other pixels"):
        replay_log(flat.log, {"image": flat.image})
