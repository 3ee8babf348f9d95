"""`lightbox batch` and `lightbox replay` make the labels of an interaction log again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import execute
from napari_lightbox.engine.request import Request
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.log import InteractionLog


def painted(blobs, tmp_path):
    """Write a log of scribbles, a run in a box, an acceptance and a correction; return its file and the labels made."""
    (image,) = lb.read(blobs["image"])
    (drawn,) = lb.read(blobs["seeds"])
    log, seeds = InteractionLog(), np.asarray(drawn.data).astype(np.int32)
    organs = np.zeros_like(seeds)
    log.add_source("image", image, str(blobs["image"]))
    log.add_target("seeds", image.geometry, np.int32)
    log.add_target("organs", image.geometry, np.int32)
    log.paint("seeds", Delta.between(organs, seeds))
    box = (slice(0, 6), slice(0, 28), slice(2, 40))
    request = Request("random_walker", (image, Volume(seeds, image.geometry, role="labels")), {}, region=box, preview=True)
    number = log.run(request, {"image": "source:image", "seeds": "target:seeds"})
    result = np.asarray(execute(request, Control()).main.data)
    log.accept(number, "organs", [1, 2])
    organs[box] = np.where(result == 3, 0, result)
    log.paint("organs", Delta.between(organs[:, :2], organs[:, :2] + 9))
    organs[:, :2] += 9
    log.save(tmp_path / "work.lightbox-log")
    return tmp_path / "work.lightbox-log", organs


@pytest.fixture
def session(blobs, tmp_path):
    """A log, its image and the labels made."""
    log, organs = painted(blobs, tmp_path)
    return log, blobs["image"], organs


def check(path: Path, organs: np.ndarray, image: Path) -> None:
    (found,), (source,) = lb.read(path), lb.read(image)
    np.testing.assert_array_equal(np.asarray(found.data), organs)
    assert found.role == "labels"
    assert found.geometry == source.geometry


@pytest.mark.parametrize("named", [True, False])
def test_the_same_labels_come_out(named, session, lightbox, tmp_path) -> None:
    log, image, organs = session
    code, _, err = lightbox("replay", log, *([image] if named else []), "-o", tmp_path / "out.nii.gz")
    assert code == 0, err
    assert "out.nii.gz: labels, zyx 6x30x40, int32" in err
    check(tmp_path / "out.nii.gz", organs, image)
    assert not list(tmp_path.glob("out-*"))  # seeds are no result


def test_the_image_is_found_beside_a_log_that_moved(session, lightbox, tmp_path) -> None:
    log, image, organs = session
    (tmp_path / "moved").mkdir()
    for path in (log, image):
        path.rename(tmp_path / "moved" / path.name)
    code, _, err = lightbox("replay", tmp_path / "moved" / log.name, "-o", tmp_path / "out.nrrd")
    assert code == 0, err
    check(tmp_path / "out.nrrd", organs, tmp_path / "moved" / image.name)
    (tmp_path / "moved" / image.name).unlink()
    code, _, err = lightbox("replay", tmp_path / "moved" / log.name, "-o", tmp_path / "out.nrrd")
    assert code == 2
    assert "is not there. Name the image" in err


def test_batch_takes_the_right_image_and_refuses_the_others(session, lightbox, tmp_path) -> None:
    log, image, organs = session
    (source,) = lb.read(image)
    data = np.asarray(source.data)
    lb.write(tmp_path / "other.nii.gz", source.with_data(data[:, ::-1].copy()))
    lb.write(tmp_path / "small.nii.gz", Volume(data[:5], source.geometry.crop((0, 0, 0), (5, 30, 40))))
    files = [image, tmp_path / "other.nii.gz", tmp_path / "small.nii.gz", tmp_path / "none.nii.gz"]
    out = tmp_path / "out"
    code, _, err = lightbox("batch", log, *files, "-o", out)
    assert code == 1
    assert "1 of 4 done" in err
    check(out / "image.nii.gz", organs, image)
    report = {Path(e["input"]).name: e for e in json.loads((out / "report.json").read_text())["entries"]}
    assert "other pixels" in report["other.nii.gz"]["message"]
    assert "--force" in report["other.nii.gz"]["message"]
    assert "(5, 30, 40)" in report["small.nii.gz"]["message"]
    assert sorted(p.name for p in out.iterdir()) == ["image.nii.gz", "ledger.jsonl", "report.csv", "report.json"]
    code, _, err = lightbox("batch", log, *files[:2], "-o", out, "--resume", "--force")
    assert code == 0, err
    assert "finished before" not in err  # with --force is another piece of work
    check(out / "image.nii.gz", organs, image)
    assert not np.array_equal(np.asarray(lb.read(out / "other.nii.gz")[0].data), organs)
    _, _, err = lightbox("batch", log, *files[:2], "-o", out, "--resume", "--force")
    assert err.count("finished before") == 2


def test_batch_without_files_takes_the_log_s_own(session, lightbox, tmp_path) -> None:
    log, image, organs = session
    code, _, err = lightbox("batch", log, "-o", tmp_path / "out")
    assert code == 0, err
    check(tmp_path / "out" / "image.nii.gz", organs, image)
    (tmp_path / "recipe.json").write_text('{"lightbox_recipe": 1, "steps": [{"technique": "invert_intensity"}]}')
    code, _, err = lightbox("batch", tmp_path / "recipe.json", "-o", tmp_path / "out")
    assert code == 2
    assert "INPUT: is missing" in err


def test_a_second_image_is_named_by_a_pattern_or_found(blobs, lightbox, tmp_path) -> None:
    (image,), (labels,) = lb.read(blobs["image"]), lb.read(blobs["labels"])
    log = InteractionLog()
    log.add_source("labels", labels, str(blobs["labels"]))
    log.add_source("image", image, str(blobs["image"]))
    log.add_target("grown", labels.geometry, np.int32)
    request = Request("marker_controlled_watershed", (image, labels), {"watershed_line": False})
    number = log.run(request, {"image": "source:image", "seeds": "source:labels"})
    log.accept(number, "grown", None)
    expected = np.asarray(execute(request, Control()).main.data)
    log.save(tmp_path / "w.lightbox-log")
    for extra in ([], ["--with", "{folder}/image.nii.gz"]):
        code, _, err = lightbox("batch", tmp_path / "w.lightbox-log", blobs["labels"], "-o", tmp_path / "out", *extra)
        assert code == 0, err
        np.testing.assert_array_equal(np.asarray(lb.read(tmp_path / "out" / "labels.nii.gz")[0].data), expected)


def test_a_broken_log_stops_before_any_file(session, lightbox, tmp_path) -> None:
    log, image, _ = session
    log.write_bytes(log.read_bytes()[:-40])
    for command in (["batch", log, image, "-o", tmp_path / "out"], ["replay", log, "-o", tmp_path / "out.nrrd"]):
        code, _, err = lightbox(*command)
        assert code == 2
        assert "damaged or no log" in err
    assert not (tmp_path / "out").exists()


def test_paint_alone(blobs, lightbox, tmp_path) -> None:
    (image,) = lb.read(blobs["image"])
    log, array = InteractionLog(), np.zeros(image.shape, np.int32)
    log.add_target("seeds", image.geometry, np.int32)
    array[2, 3:5, 4:9] = 3
    log.paint("seeds", Delta.between(np.zeros_like(array), array))
    log.save(tmp_path / "w.lightbox-log")
    code, _, err = lightbox("replay", tmp_path / "w.lightbox-log", "-o", tmp_path / "seeds.nii.gz")
    assert code == 0, err
    check(tmp_path / "seeds.nii.gz", array, blobs["image"])
    code, _, err = lightbox("batch", tmp_path / "w.lightbox-log", "-o", tmp_path / "out", "--format", ".nii.gz")
    assert code == 0, err
    check(tmp_path / "out" / "w.nii.gz", array, blobs["image"])


def test_labels_of_a_picture_go_into_a_format_that_holds_them(lightbox, tmp_path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (20, 24)).astype(np.uint8)
    lb.write(tmp_path / "a.png", Volume(picture, Geometry.of("yx", picture.shape)))
    (image,) = lb.read(tmp_path / "a.png")
    log, seeds = InteractionLog(), np.zeros(image.shape, np.int32)
    log.add_source("image", image, str(tmp_path / "a.png"))
    log.add_target("seeds", image.geometry, np.int32)
    seeds[2:4, 2:4], seeds[15:18, 12:20] = 1, 70_000
    log.paint("seeds", Delta.between(np.zeros_like(seeds), seeds))
    request = Request("random_walker", (image, Volume(seeds, image.geometry, role="labels")))
    log.accept(log.run(request, {"image": "source:image", "seeds": "target:seeds"}), "seeds", None)
    log.save(tmp_path / "w.lightbox-log")
    code, _, err = lightbox("batch", tmp_path / "w.lightbox-log", tmp_path / "a.png", "-o", tmp_path / "out")
    assert code == 0, err
    (found,) = lb.read(tmp_path / "out" / "a.ome.tif")
    np.testing.assert_array_equal(np.asarray(found.data), np.asarray(execute(request, Control()).main.data))
