"""Jobs give exactly what a local run gives, whatever the technique's locality, and compute no block twice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from tests.server.jobs.served import (
    OWNER,
    Sender,
    finish,
    order,
    outputs,
    put,
    register,
    results,
    served,
    submit,
    volume,
    wait_for,
)
from tests.technique_hints import HINTS

import napari_lightbox as lb
from napari_lightbox.axes import Volume
from napari_lightbox.contract.values import Points, Shapes, Table
from napari_lightbox.engine.checkpoints import checkpoints
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.origins import measured
from napari_lightbox.engine.remembered import cache, memo
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import BusyError, CancelledError, GoneError, NotFoundError, ParameterError
from napari_lightbox.testing.compare import as_outputs, assert_same
from napari_lightbox.testing.examples import blobs, make_example, seeds

RNG = np.random.default_rng(0)
IMAGE = blobs(RNG, (8, 40, 40), np.uint8)
VIDEO = np.stack([blobs(RNG, (24, 20), np.uint8, shift=i) for i in range(40)])
CHUNKS = {4: (1, 3, 20, 20), 3: (3, 20, 20), 2: (20, 20)}

# one per locality, and those with several outputs, other grids, further axes, values of every kind
CASES = [
    ("invert_intensity", (IMAGE,), {}),
    ("gaussian_blur", (IMAGE,), {"sigma": 1.5}),
    ("clahe", (IMAGE,), {}),
    ("threshold_otsu", (IMAGE,), {}),
    ("threshold_otsu", (VIDEO,), {"scope": "plane"}),
    ("connected_components", ((IMAGE > 140).astype(np.int32),), {}),
    ("distance_transform", ((IMAGE > 140).astype(np.int32),), {"nearest": True}),
    ("canny_edges", (IMAGE,), {"compare": True}),
    ("marker_controlled_watershed", (IMAGE, seeds(IMAGE)), {}),
    ("split_touching_objects", ((IMAGE > 140).astype(np.int32),), {}),
    ("kmeans_segmentation", (IMAGE,), {}),
    ("region_properties", (np.digitize(IMAGE, [100, 180]).astype(np.int32), IMAGE), {"boxes": True}),
    ("psnr", (IMAGE, IMAGE), {}),
    ("crop", (IMAGE,), {}),
]


@pytest.fixture(autouse=True)
def forgetful():
    """What one test has computed must not help the next."""
    for kept in (cache, memo, checkpoints):
        kept.clear()


def role(array: np.ndarray) -> str:
    return "labels" if array.dtype == np.int32 else "image"


def volumes(arrays, axes: str | None = None) -> tuple:
    return tuple(volume(array, axes, role(array), None) for array in arrays)


def known(technique: str) -> bool:
    return technique in {t.id for t in lb.find()}


def assert_equal(actual: dict, expected: tuple) -> None:
    for (name, value), wanted in zip(actual.items(), expected, strict=True):
        assert_same(np.asarray(value.data) if isinstance(value, Volume) else value, wanted, name)
        if isinstance(wanted, Table):
            assert value.units == wanted.units


@pytest.mark.parametrize(("technique", "arrays", "parameters"), [c for c in CASES if known(c[0])], ids=lambda v: str(v)[:24])
def test_the_same_as_apply(services, technique: str, arrays, parameters) -> None:
    axes = "tyx" if arrays[0] is VIDEO else "zyx"
    inputs = volumes(arrays, axes)
    expected = lb.apply(technique, *inputs, **parameters)
    job = submit(services, Request(technique, inputs, parameters), CHUNKS)
    found = results(services, job.id)
    assert list(found) == [spec.name for spec in lb.technique(technique).outputs]
    assert_equal(found, as_outputs(expected))
    main = expected[0] if isinstance(expected, tuple) and not isinstance(expected, Volume) else expected
    if isinstance(main, Volume):
        actual = next(iter(found.values()))
        assert (actual.geometry, actual.role) == (main.geometry, main.role)


def test_a_sequence_in_tiles_goes_on_from_kept_states(services, kernels, monkeypatch) -> None:
    from napari_lightbox.engine.kernel import Kernel

    steps: Counter = Counter()
    original = Kernel.step

    def step(kernel, blocks, index, place, state):
        steps[place.mapped[0] + index[0], place.given[0].start, place.given[1].start] += 1
        return original(kernel, blocks, index, place, state)

    expected = as_outputs(lb.apply("background_subtraction_mog2", volume(VIDEO, "tyx"), history=20))
    monkeypatch.setattr(Kernel, "step", step)
    # no state is remembered in this process: those that runs go on from come from files
    monkeypatch.setattr(checkpoints, "put", lambda *_: None)
    request = Request("background_subtraction_mog2", (volume(VIDEO, "tyx"),), {"history": 20})
    job = submit(services, request, {3: (1, 12, 10)}, first=[[30, 31], [0, 12], [0, 10]])
    assert_equal(results(services, job.id), expected)
    assert set(steps.values()) == {1}
    assert len(steps) == 40 * 4


def test_images_that_are_joined(services, kernels) -> None:
    technique = lb.technique("panorama_stitcher")
    hint = HINTS[technique.id]
    images, *_ = make_example(technique, parameters=hint.parameters, maker=hint.maker, colour=hint.colour).inputs
    inputs = ([volume(image, "yxc" if image.ndim == 3 else "yx") for image in images],)
    expected = as_outputs(lb.apply(technique, *inputs, **hint.parameters))
    job = submit(services, Request(technique.id, inputs, hint.parameters))
    assert_equal(results(services, job.id), expected)
    assert not list(services.work.iterdir())


def test_images_that_cannot_be_joined_say_why(services) -> None:
    job = finish(services, submit(services, Request("panorama_stitcher", ([volume(IMAGE[0]), volume(IMAGE[1])],))).id)
    assert (job.status, job.error["error"]) == ("failed", "InputError")


def test_values_beside_blocks_cost_no_block(services, kernels) -> None:
    video = np.stack([(IMAGE[i % 8] > 140).astype(np.int32) for i in range(12)])
    inputs = (volume(video, "tyx", "labels"),)
    expected = as_outputs(lb.apply("split_touching_objects", *inputs, over="yx"))
    kernels.places.clear()
    job = submit(services, Request("split_touching_objects", inputs, over="yx"), {3: (1, 40, 40)})
    assert_equal(results(services, job.id), expected)
    assert len(kernels.places) == 12


def test_statistics_of_many_frames_are_taken_once(services, monkeypatch) -> None:
    from napari_lightbox.engine import statistic_layer

    taken: Counter = Counter()
    original = statistic_layer.block_state

    def block_state(kernel, stage, blocks, index, place, previous):
        taken[stage, place.mapped, place.taken[0].start, place.taken[1].start] += 1
        return original(kernel, stage, blocks, index, place, previous)

    monkeypatch.setattr(statistic_layer, "block_state", block_state)
    # whoever takes them keeps nothing: as a worker in another process
    monkeypatch.setattr(statistic_layer, "cache", SimpleNamespace(get=cache.get, put=lambda *_: None))
    frames = RNG.integers(0, 255, (70, 20, 20)).astype(np.uint8)
    request = Request("threshold_otsu", (volume(frames, "tyx"),), over="yx")
    found = results(services, submit(services, request, {3: (1, 10, 20)}).id)
    np.testing.assert_array_equal(next(iter(found.values())).data, lb.apply("threshold_otsu", frames, axes="tyx", over="yx")[0])
    assert set(taken.values()) == {1}


def test_a_preview_is_marked_and_equals_the_local_one(services) -> None:
    region = (slice(3, 4), slice(0, 40), slice(0, 40))
    for technique in ("gaussian_blur", "distance_transform"):
        request = Request(technique, (volume(IMAGE),), preview=True, region=region)
        expected = execute(request, Control())
        job = submit(services, request, CHUNKS)
        found = next(iter(results(services, job.id).values()))
        np.testing.assert_array_equal(found.data, expected.main.data)
        assert found.geometry == expected.main.geometry
        told = services.queue.outputs(job.id)
        assert told["preview"]
        assert told["exact"] is not expected.provenance["approximate"]


def test_provenance_is_that_of_a_local_run(services) -> None:
    first = lb.apply("invert_intensity", volume(IMAGE))
    request = Request("gaussian_blur", (first,), {"sigma": (1.0, 2.0, 0.5)}, mask=volume((IMAGE > 100).astype(np.uint8)))
    inputs, (mask,) = measured(request.inputs, Control()), measured([request.mask], Control())
    request = replace(request, inputs=inputs, mask=mask)
    expected = execute(request, Control()).provenance
    job = submit(services, request, CHUNKS)
    finish(services, job.id)
    assert services.queue.outputs(job.id)["provenance"] == json.loads(json.dumps(expected))


def test_points_and_tables_go_in_and_bare_arrays_too(services) -> None:
    box = Shapes([np.array([[5.0, 5.0], [5.0, 20.0], [30.0, 20.0], [30.0, 5.0]])], ["polygon"])
    flat = volume(IMAGE[2])
    points = Points(np.array([[6.0, 7.0], [1.0, 1.0]]), Table({"name": np.array(["in", "out"]), "size": np.array([1.5, np.inf])}))
    expected = as_outputs(lb.apply("crop", flat, points, box, mode="shapes"))
    job = submit(services, Request("crop", (flat, points, box), {"mode": "shapes"}), CHUNKS)
    assert_equal(results(services, job.id), expected)
    bare = results(services, submit(services, Request("invert_intensity", (IMAGE,)), CHUNKS).id)
    np.testing.assert_array_equal(next(iter(bare.values())), 255 - IMAGE)


def test_errors_are_those_of_a_local_run(services) -> None:
    job = finish(services, submit(services, Request("gaussian_blur", (volume(IMAGE),), {"sigma": -1})).id)
    assert job.status == "failed"
    assert job.error["error"] == "ParameterError"
    with pytest.raises(ParameterError, match="sigma"):
        services.queue.outputs(job.id)
    assert not services.results.of(job.id)


def test_only_the_chunks_that_matter_are_asked_for_the_region_first(services) -> None:
    request = Request("gaussian_blur", (volume(IMAGE),), {"sigma": 0.5}, over="yx")
    body, arrays = order(services, request, {3: (1, 20, 20)}, lazy=True)
    job = services.queue.submit({"request": body, "first": [[5, 6], [20, 40], [0, 20]]}, OWNER)
    with Sender(services, arrays, job.id) as sender:
        found = results(services, job.id)
    np.testing.assert_array_equal(next(iter(found.values())).data, lb.apply("gaussian_blur", IMAGE, sigma=0.5, over="yx"))
    # the other lane begins with block 0 at the same time
    assert 22 in sender.sent[:8]
    assert len(sender.sent) == len(set(sender.sent)) == 32


def test_chunks_outside_of_a_crop_never_travel(services) -> None:
    parameters = {"mode": "box", "start": [4, 0, 0], "stop": [6, 20, 20]}
    body, arrays = order(services, Request("crop", (volume(IMAGE),), parameters), {3: (1, 20, 20)}, lazy=True)
    job = services.queue.submit({"request": body}, OWNER)
    with Sender(services, arrays, job.id) as sender:
        results(services, job.id)
    assert set(sender.sent) == {16, 20}


def test_a_lazy_source_never_lies_on_the_disk_as_a_whole(tmp_path) -> None:
    data = RNG.integers(0, 65535, (64, 32, 32)).astype(np.uint16)
    with served(tmp_path, room=8 * 2048) as services:
        body, arrays = order(services, Request("threshold_otsu", (volume(data),)), {3: (1, 32, 32)}, lazy=True)
        (source,) = arrays
        present: list[int] = []
        job = services.queue.submit({"request": body}, OWNER)
        with Sender(services, arrays, job.id) as sender:
            while not services.table.get(job.id).is_over:
                present.append(services.sources.get(source).present)
        found = results(services, job.id)
        np.testing.assert_array_equal(next(iter(found.values())).data, lb.apply("threshold_otsu", data)[0])
        assert max(present) <= 32
        assert sender.most <= 16


def test_a_client_that_comes_back_can_go_on(services) -> None:
    body, arrays = order(services, Request("invert_intensity", (volume(IMAGE),)), {3: (1, 20, 20)}, lazy=True)
    job = services.queue.submit({"request": body}, OWNER)
    (event,) = wait_for(lambda: services.arrivals.wanted(job.id))
    source, first = event.data["source"], event.data["chunks"][0]
    put(services, source, arrays[source], first)
    wait_for(lambda: (now := services.arrivals.wanted(job.id)) and first not in now[0].data["chunks"])
    assert services.present(job.id)[1].name == "wanted"
    with Sender(services, arrays, job.id):
        np.testing.assert_array_equal(next(iter(results(services, job.id).values())).data, 255 - IMAGE)


def test_a_client_that_stays_away_fails_the_job(tmp_path) -> None:
    with served(tmp_path, limits={"session_dead": 0.2}) as services:
        body, _ = order(services, Request("invert_intensity", (volume(IMAGE),)), {3: (1, 20, 20)}, lazy=True)
        job = finish(services, services.queue.submit({"request": body}, OWNER).id)
        assert job.error["error"] == "ConnectionLostError"


def test_results_of_one_job_feed_the_next_while_it_runs(services, kernels) -> None:
    kernels.hold(after=4)
    first = submit(services, Request("invert_intensity", (volume(IMAGE),)), CHUNKS)
    told = wait_for(lambda: services.table.get(first.id).outputs)
    body, _ = order(services, Request("gaussian_blur", (volume(IMAGE),), {"sigma": 1.0}), CHUNKS)
    (main,) = told["outputs"].values()
    body["inputs"][0]["data"] = main["data"]
    second = services.queue.submit({"request": body}, OWNER)
    wait_for(lambda: services.table.get(second.id).status == "running")
    kernels.go()
    found = results(services, second.id)
    np.testing.assert_array_equal(next(iter(found.values())).data, lb.apply("gaussian_blur", 255 - IMAGE, sigma=1.0))
    with pytest.raises(NotFoundError):
        services.queue.submit({"request": body}, "bob")


def test_the_next_job_learns_that_the_one_before_was_stopped(services, kernels) -> None:
    kernels.hold(after=2)
    first = submit(services, Request("invert_intensity", (volume(IMAGE),)), CHUNKS)
    told = wait_for(lambda: services.table.get(first.id).outputs)
    body, _ = order(services, Request("gaussian_blur", (volume(IMAGE),)), CHUNKS)
    body["inputs"][0]["data"] = next(iter(told["outputs"].values()))["data"]
    second = services.queue.submit({"request": body}, OWNER)
    wait_for(lambda: services.table.get(second.id).status == "running")
    services.queue.cancel(first.id)
    kernels.go()
    assert finish(services, second.id).error["error"] in (GoneError.__name__, NotFoundError.__name__)


def test_blocks_that_somebody_waits_for_come_soon(services, kernels) -> None:
    kernels.hold(after=1)
    film = np.concatenate([IMAGE] * (64 // len(IMAGE)))
    job = submit(services, Request("gaussian_blur", (volume(film),), {"sigma": 1.0}, over="yx"), {3: (1, 40, 40)})
    told = wait_for(lambda: services.table.get(job.id).outputs)
    array = services.results.open(next(iter(told["outputs"].values()))["data"].removeprefix("array:"))
    assert not services.queue.outputs(job.id)["complete"]
    wait_for(lambda: len(kernels.places) >= 2)
    services.wishes.ask(array.id, (len(film) - 1, 0, 0))
    services.wishes.first(job.id, [[len(film) - 2, len(film) - 1], [0, 40], [0, 40]])
    kernels.go()
    results(services, job.id)
    order_of = [place[0][0] for place in kernels.places]
    # the batch that was under way comes before
    assert max(order_of.index(len(film) - 2), order_of.index(len(film) - 1)) < order_of.index(len(film) - 10)


def test_a_cancel_frees_everything(services, kernels) -> None:
    kernels.hold(after=3)
    job = submit(services, Request("invert_intensity", (volume(IMAGE),)), CHUNKS)
    wait_for(lambda: len(kernels.places) > 3)
    services.queue.cancel(job.id)
    kernels.go()
    assert finish(services, job.id).status == "cancelled"
    assert len(kernels.places) < 12
    assert not services.results.of(job.id)
    assert not list(services.work.iterdir())
    with pytest.raises(CancelledError):
        services.queue.outputs(job.id)


def test_the_layout_is_told_before_the_first_block(services, kernels) -> None:
    kernels.hold(after=0)
    job = submit(services, Request("kmeans_segmentation", (volume(IMAGE),)), CHUNKS)
    with pytest.raises(BusyError):
        services.queue.outputs(job.id)
    kernels.go()
    results(services, job.id)


def test_tables_beside_arrays_are_open_until_the_end(services, kernels) -> None:
    kernels.hold(after=0)
    inputs = (volume((IMAGE > 140).astype(np.int32), role="labels"),)
    job = submit(services, Request("split_touching_objects", inputs), CHUNKS)
    told = wait_for(lambda: services.table.get(job.id).outputs)["outputs"]
    assert {name: value["kind"] for name, value in told.items() if value is not None and value["kind"] != "volume"}
    assert all(value is None or value["kind"] in ("volume", "pending") for value in told.values())
    kernels.go()
    assert all(not isinstance(v, dict) for v in outputs(services, finish(services, job.id).id).values())


def test_a_reference_is_read_where_it_lies(tmp_path) -> None:
    from napari_lightbox.server.config import Limits, ServerConfig
    from napari_lightbox.server.services import open_services

    root = tmp_path / "images"
    root.mkdir()
    lb.write(root / "image.ome.zarr", volume(IMAGE))
    config = ServerConfig(tmp_path / "server", {OWNER: "token-of-ada-0123456789"}, roots=(root,), limits=Limits(least_free=1))
    services = open_services(config)
    try:
        reference = services.references.open("image.ome.zarr")
        body, _ = order(services, Request("invert_intensity", (volume(IMAGE),)), CHUNKS)
        body["inputs"][0] |= {"data": f"reference:{reference.id}", "geometry": reference.geometry.to_json()}
        found = results(services, services.queue.submit({"request": body}, OWNER).id)
        np.testing.assert_array_equal(next(iter(found.values())).data, 255 - IMAGE)
    finally:
        services.close()


def test_the_price_of_a_block_does_not_grow_with_their_number(services, monkeypatch) -> None:
    """Counted in tasks that are made, which is what grows when something is done per batch for all."""
    from napari_lightbox.server.jobs.batch import Writer

    made: list[tuple[int, int]] = []
    original = Writer.batch

    def batch(writer, numbers):
        result = original(writer, numbers)
        made.append((len(result.graph), len(numbers)))
        return result

    monkeypatch.setattr(Writer, "batch", batch)
    prices = []
    for count in (20, 200):
        made.clear()
        frames = np.zeros((count, 4, 4), np.uint8)
        results(services, submit(services, Request("invert_intensity", (volume(frames, "tyx"),)), {3: (1, 4, 4)}).id)
        prices.append(sum(g for g, _ in made) / sum(n for _, n in made))
    assert prices[1] <= prices[0]


def test_dask_names_follow_from_the_source(services) -> None:
    source = register(services, IMAGE, (3, 20, 20), lazy=False)
    assert isinstance(services.sources.array(source), da.Array)
    assert services.sources.array(source).name == f"source-{source}"
