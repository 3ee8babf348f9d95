"""Labels become class numbers; what is not painted says nothing; what is held out stays out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import InputError, MemoryForecastError, ParameterError
from napari_lightbox.models.train.folder import find_pairs
from napari_lightbox.models.train.patches import Patches
from napari_lightbox.models.train.samples import IGNORED, Sample, make_dataset
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.settings import override


def pair(labels: np.ndarray, axes: str = "yx", image: np.ndarray | None = None, image_axes: str | None = None):
    pixels = image if image is not None else np.random.default_rng(0).normal(100, 20, labels.shape).astype(np.float32)
    own = Geometry.of(image_axes or axes, pixels.shape)
    return Volume(pixels, own, name="picture"), Volume(labels, Geometry.of(axes, labels.shape), role="labels", name="painted")


def everything(data) -> np.ndarray:
    """Class numbers of all samples, the held-out ones put back."""
    return np.stack([np.maximum(t.classes, v.classes) for t, v in zip(data.training, data.validation, strict=True)])


def halves() -> np.ndarray:
    labels = np.zeros((64, 64), np.int32)
    labels[:, 20:40] = 7
    labels[:, 40:] = 3
    return labels


def test_dense_ids_become_classes_in_ascending_order() -> None:
    data = make_dataset([pair(halves())], TrainSettings())
    assert [c.id for c in data.classes] == [0, 3, 7]
    assert data.background == 0
    np.testing.assert_array_equal(everything(data)[0], np.select([halves() == 3, halves() == 7], [1, 2], 0))


def test_strokes_leave_the_rest_unknown() -> None:
    strokes = np.where(np.random.default_rng(0).random((64, 64)) < 0.3, halves(), 0)
    strokes[:, :20] = np.where(np.random.default_rng(1).random((64, 20)) < 0.3, 1, 0)
    data = make_dataset([pair(strokes)], TrainSettings(ignore=0, background=1))
    assert [c.id for c in data.classes] == [0, 3, 7], "the background's id becomes 0"
    known = everything(data)[0]
    np.testing.assert_array_equal(known == IGNORED, strokes == 0)
    np.testing.assert_array_equal(known == 0, strokes == 1)


def test_merged_strokes_leave_the_rest_unknown_too() -> None:
    strokes = np.where(np.random.default_rng(0).random((64, 64)) < 0.3, halves() + 1, 0)
    data = make_dataset([pair(strokes)], TrainSettings(ignore=0, background=1, merge=True))
    np.testing.assert_array_equal(everything(data)[0], np.select([strokes == 0, strokes == 1], [IGNORED, 0], 1))


def test_strokes_without_a_background_keep_their_ids() -> None:
    strokes = np.where(np.random.default_rng(0).random((64, 64)) < 0.3, halves(), 0)
    data = make_dataset([pair(strokes)], TrainSettings(ignore=0))
    assert [c.id for c in data.classes] == [3, 7]
    assert data.background is None


def test_ignored_and_background_must_differ() -> None:
    with pytest.raises(ParameterError, match="Paint background with a label of its own"):
        TrainSettings(ignore=0, background=0)
    with pytest.raises(ParameterError, match="background"):
        TrainSettings(ignore=5, background=5)
    assert TrainSettings(ignore=5).background_id == 0


def test_numbered_objects_become_one_class() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[::4, ::4] = np.arange(256).reshape(16, 16)
    with pytest.raises(InputError, match="merge"):
        make_dataset([pair(labels)], TrainSettings())
    data = make_dataset([pair(labels)], TrainSettings(merge=True))
    assert [c.id for c in data.classes] == [0, 1]
    np.testing.assert_array_equal(everything(data)[0], labels > 0)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (np.zeros((64, 64), np.int32), {}, "nothing but one class"),
        (np.zeros((64, 64), np.int32), {"ignore": 0}, "nothing painted"),
        (np.full((64, 64), 2, np.int32), {"ignore": 0}, "nothing but one class"),
        (np.full((64, 64), -1, np.int32), {}, "not negative"),
        (np.zeros((64, 64), np.float32), {}, "whole numbers"),
    ],
)
def test_labels_that_teach_nothing(labels: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_dataset([pair(labels)], TrainSettings(**options))


def test_nothing_to_train_on() -> None:
    with pytest.raises(InputError, match="empty"):
        make_dataset([], TrainSettings())


def test_labels_of_another_shape() -> None:
    with pytest.raises(InputError, match="painted on that image"):
        make_dataset([pair(halves(), image=np.zeros((64, 65)))], TrainSettings())


def test_a_plane_is_no_volume() -> None:
    with pytest.raises(InputError, match="Train in 2D"):
        make_dataset([pair(halves())], TrainSettings(ndim=3))


def test_planes_frames_and_channels() -> None:
    labels = np.zeros((3, 4, 32, 30), np.int32)
    labels[..., 8:] = 1
    image = np.moveaxis(np.stack([labels * 10.0, labels * -5.0 + 7]), 0, 2)
    data = make_dataset([pair(labels, "tzyx", image, "tzcyx")], TrainSettings(validation=0.25))
    assert len(data.training) + len(data.validation) == 12
    assert data.channels == 2
    assert data.normalisation.mean == pytest.approx((10 * 22 / 30, 7 - 5 * 22 / 30))
    sample = data.training[0]
    assert sample.image.shape == (2, 32, 30)
    np.testing.assert_allclose(sample.image[0] > 0, sample.classes == 1)
    np.testing.assert_allclose(sample.image[1] < 0, sample.classes == 1)


def test_values_that_are_no_numbers_do_not_spoil_the_normalisation() -> None:
    image = np.random.default_rng(0).normal(50, 4, (64, 64))
    image[0, :5] = np.nan
    image[1, 1] = np.inf
    data = make_dataset([pair(halves(), image=image)], TrainSettings())
    assert data.normalisation.mean[0] == pytest.approx(50, abs=0.5)
    assert data.normalisation.deviation[0] == pytest.approx(4, abs=0.3)


def test_a_flat_image_is_no_division_by_zero() -> None:
    data = make_dataset([pair(halves(), image=np.full((64, 64), 9.0))], TrainSettings())
    assert data.normalisation.deviation == (1.0,)


def test_held_out_planes_are_never_learned() -> None:
    labels = np.zeros((20, 16, 16), np.int32)
    labels[:, 4:] = 1
    image = np.broadcast_to(np.arange(20.0)[:, None, None], labels.shape)
    data = make_dataset([pair(labels, "zyx", image)], TrainSettings(validation=0.2))
    learned, held = ({round(float(s.image[0, 0, 0]), 4) for s in part} for part in (data.training, data.validation))
    assert (len(learned), len(held)) == (16, 4)
    assert not learned & held


def test_whole_images_are_held_out_where_there_are_enough() -> None:
    pairs = [pair(np.stack([halves()] * 2), "zyx") for _ in range(6)]
    data = make_dataset(pairs, TrainSettings(validation=0.3))
    assert data.held_out == "images"
    assert not {s.pair for s in data.training} & {s.pair for s in data.validation}


def test_blocks_of_a_single_picture_are_held_out() -> None:
    data = make_dataset([pair(halves())], TrainSettings(validation=0.25))
    learned, held = data.training[0].classes != IGNORED, data.validation[0].classes != IGNORED
    assert not (learned & held).any()
    assert (learned | held).all()
    assert 0.2 < held.mean() < 0.3


def test_too_few_strokes_are_their_own_measure() -> None:
    strokes = np.zeros((64, 64), np.int32)
    strokes[3:5, 3:5], strokes[60:62, 60:62] = 1, 2
    data = make_dataset([pair(strokes)], TrainSettings(ignore=0))
    assert "too little is painted" in data.held_out


def test_more_than_memory_holds() -> None:
    with override(memory_budget="1MiB"), pytest.raises(MemoryForecastError, match="memory budget"):
        make_dataset([pair(np.zeros((1000, 1000), np.int32))], TrainSettings())


def test_rare_classes_are_drawn_often() -> None:
    classes = np.zeros((200, 200), np.int16)
    classes[100, 100] = 1
    sample = Sample(classes[np.newaxis].astype(np.float32), classes, 0)
    images, drawn = Patches([sample], (16, 16), np.random.default_rng(0)).draw(200)
    share = np.mean([(d == 1).any() for d in drawn])
    assert 0.15 < share < 0.4, "a quarter: half of the patches look for a class, half of those for this one"
    np.testing.assert_array_equal(images[:, 0], drawn)


def test_small_samples_are_filled_up_without_labels() -> None:
    sample = Sample(np.ones((1, 5, 9), np.float32), np.ones((5, 9), np.int16), 0)
    _, drawn = Patches([sample], (8, 16), np.random.default_rng(0)).draw(3)
    assert ((drawn == 1).sum(axis=(1, 2)) == 45).all()
    assert (drawn[drawn != 1] == IGNORED).all()


@pytest.mark.parametrize(
    "names",
    [
        ["images/a.tif", "images/b.nii.gz", "labels/a.tif", "labels/b.nii.gz"],
        ["imagesTr/a_0000.nii.gz", "imagesTr/b_0000.nii.gz", "labelsTr/a.nii.gz", "labelsTr/b.nii.gz"],
        ["a.tif", "a-labels.tif", "b.ome.tif", "b_mask.tif", "lonely.tif"],
        ["images/a.png", "images/b.png", "masks/a_mask.png", "masks/b_mask.png"],
    ],
)
def test_pairs_are_found_by_name(tmp_path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_pairs(tmp_path)
    assert [image.name[0] for image, _ in found] == ["a", "b"]
    assert all(image.name[0] == labels.name[0] and image != labels for image, labels in found)


def test_a_folder_without_pairs(tmp_path) -> None:
    (tmp_path / "a.tif").touch()
    with pytest.raises(InputError, match="same name"):
        find_pairs(tmp_path)
    (tmp_path / "a-labels.tif").touch()
    (tmp_path / "a-mask.tif").touch()
    with pytest.raises(InputError, match="Keep one"):
        find_pairs(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        find_pairs(tmp_path / "absent")
