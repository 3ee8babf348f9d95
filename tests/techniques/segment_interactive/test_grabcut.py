"""GrabCut: equality with OpenCV on a plane, planted objects in planes, volumes and videos, several ids, bad input."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
from skimage import data

from napari_lightbox.contract.values import Shapes, Table
from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.techniques.segment_interactive import grabcut as module


def grabcut(image, *inputs, **parameters):
    """Run the technique; planes of gray, colour pictures and gray stacks tell themselves apart by their last axis."""
    axes = "yxc" if image.ndim == 3 and image.shape[-1] in (3, 4) else "zyx"[-image.ndim :]
    return apply(module.grabcut.technique, image, *inputs, axes=axes, **parameters)


def disc_on_noise(colours=((40, 120, 60), (200, 80, 90)), noise=8, size=120, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    disc = (y - 55) ** 2 + (x - 65) ** 2 < 30**2
    picture = np.where(disc[..., None], colours[1], colours[0]) + rng.normal(0, noise, (*disc.shape, 3))
    return picture.clip(0, 255).astype(np.uint8), disc


def rectangle(y0, y1, x0, x1, z=None):
    corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], float)
    return Shapes([corners if z is None else np.column_stack([np.full(4, z), corners])], ["rectangle"])


def opencv(picture, codes, rounds=5, mode=cv2.GC_INIT_WITH_MASK, rect=None, models=None):
    classes = codes.astype(np.uint8).copy()
    background, foreground = models or np.zeros((2, 1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(np.ascontiguousarray(picture), classes, rect, background, foreground, rounds, mode)
    return classes, (background, foreground)


def strokes(shape, *marks):
    seeds = np.zeros(shape, np.int32)
    for label, *box in marks:
        seeds[tuple(box)] = label
    return seeds


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_rectangle_gives_what_opencv_gives_and_the_planted_disc():
    picture, disc = disc_on_noise()
    # OpenCV takes x, y, width, height; the shape has corners
    expected, _ = opencv(picture, np.zeros(disc.shape), 5, cv2.GC_INIT_WITH_RECT, (25, 15, 80, 85))
    found = grabcut(picture, None, rectangle(15, 99, 25, 104), four_classes=True)
    np.testing.assert_array_equal(found.labels == 1, expected & 1)
    np.testing.assert_array_equal(found.classes, np.array([1, 2, 3, 4])[expected])
    assert dice(found.labels == 1, disc) == 1.0
    assert (found.labels[:15] == 0).all()
    assert (found.labels[:, :25] == 0).all()


@pytest.mark.parametrize("rounds", [1, 5])
def test_classes_painted_on_a_photograph_equal_opencv(rounds):
    picture = data.astronaut()[::3, ::3]
    marks = (
        (2, slice(20, 50), slice(68, 80)),
        (1, slice(0, 10)),
        (1, slice(40, 90), slice(0, 10)),
        (4, slice(60, 90), slice(50, 90)),
    )
    seeds = strokes(picture.shape[:2], *marks)
    expected, _ = opencv(picture, np.array([2, 0, 1, 2, 3])[seeds], rounds)
    found = grabcut(picture, seeds, seeds_are="classes", iterations=rounds, four_classes=True)
    np.testing.assert_array_equal(found.labels, expected & 1)
    np.testing.assert_array_equal(found.classes, expected + 1)


def test_a_face_is_found_from_three_strokes_and_again_the_same():
    picture = data.astronaut()[::2, ::2]
    seeds = strokes(
        picture.shape[:2], (1, slice(40, 70), slice(105, 120)), (2, slice(0, 8)), (2, slice(90, 250), slice(125, 130))
    )
    found = grabcut(picture, seeds, four_classes=True)
    face = found.labels == 1
    assert 1500 < face.sum() < 8000
    assert face[35:75, 100:125].mean() > 0.9
    np.testing.assert_array_equal(found.labels[seeds > 0], seeds[seeds > 0])
    np.testing.assert_array_equal(found.classes[seeds > 0], np.where(seeds == 1, 2, 1)[seeds > 0])
    np.testing.assert_array_equal(np.isin(found.classes, (2, 4)), face)
    np.testing.assert_array_equal(grabcut(picture, seeds).labels, found.labels)


def test_gray_pictures_count_as_three_equal_channels_and_alpha_does_not_count():
    picture, disc = disc_on_noise()
    gray = picture[..., 0]
    seeds = strokes(disc.shape, (1, slice(50, 60), slice(60, 70)), (2, slice(0, 4)))
    same = np.repeat(gray[..., None], 3, axis=-1)
    np.testing.assert_array_equal(grabcut(gray, seeds).labels, grabcut(same, seeds).labels)
    np.testing.assert_array_equal(grabcut(gray, seeds).labels == 1, disc)
    alpha = np.dstack([picture, np.random.default_rng(0).integers(0, 256, disc.shape, np.uint8)])
    np.testing.assert_array_equal(grabcut(alpha, seeds).labels, grabcut(picture, seeds).labels)


def test_painted_classes_go_on_with_their_models_as_opencv_does():
    picture = data.astronaut()[::4, ::4]
    rect = rectangle(5, 110, 15, 90)
    first = grabcut(picture, None, rect, iterations=2, four_classes=True, return_models=True)
    codes, models = opencv(picture, np.zeros(picture.shape[:2]), 2, cv2.GC_INIT_WITH_RECT, (15, 5, 76, 106))
    np.testing.assert_array_equal(first.classes, codes + 1)
    np.testing.assert_allclose(first.models["weight"], np.concatenate([m[0, :5] for m in models]))
    np.testing.assert_allclose(first.models["mean_2"][5:], models[1][0, 6:20:3])
    np.testing.assert_allclose(first.models["covariance_12"][:5], models[0][0, 21::9])
    corrected = first.classes.copy()
    corrected[60:64, 60:64], corrected[8:12, 20:24] = 2, 1
    codes = corrected.astype(np.uint8) - 1
    expected, _ = opencv(picture, codes, 3, cv2.GC_EVAL, models=models)
    went_on = grabcut(picture, corrected, None, first.models, seeds_are="classes", iterations=3, four_classes=True)
    np.testing.assert_array_equal(went_on.classes, expected + 1)
    anew, _ = opencv(picture, codes, 3)
    np.testing.assert_array_equal(
        grabcut(picture, corrected, seeds_are="classes", iterations=3, four_classes=True).classes, anew + 1
    )


def test_strokes_inside_a_rectangle_correct_it():
    picture, disc = disc_on_noise()
    picture[85:95, 20:30] = 200, 80, 90
    rect = rectangle(10, 110, 10, 110)
    without = grabcut(picture, None, rect).labels == 1
    assert without[90, 25]
    seeds = strokes(disc.shape, (1, 55, slice(55, 75)), (2, slice(84, 96), slice(19, 31)))
    corrected = grabcut(picture, seeds, rect).labels
    assert set(np.unique(corrected)) == {1, 2}
    assert dice(corrected == 1, disc) == 1.0
    only_background = np.where(seeds == 2, 2, 0)
    np.testing.assert_array_equal(grabcut(picture, only_background, rect, background_id=2).labels == 1, disc)
    learned = grabcut(picture, seeds, rect, return_models=True).models
    known = grabcut(picture, None, rect, learned).labels == 1
    assert dice(known & (np.arange(120) > 31), disc) > 0.99
    alone = grabcut(picture, np.where(seeds == 1, 6, 0), rect).labels
    assert set(np.unique(alone)) == {0, 6}


def test_two_discs_of_one_colour_with_a_stroke_each():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:80, :140]
    left, right = ((y - 40) ** 2 + (x - c) ** 2 < 22**2 for c in (40, 100))
    picture = np.where((left | right)[..., None], (180, 60, 60), (60, 60, 150)) + rng.normal(0, 6, (80, 140, 3))
    picture = picture.clip(0, 255).astype(np.uint8)
    seeds = strokes(y.shape, (1, 40, slice(35, 45)), (1, 40, slice(95, 105)), (2, slice(0, 3)))
    np.testing.assert_array_equal(grabcut(picture, seeds).labels == 1, left | right)
    apart = np.where((seeds == 1) & (x > 70), 5, np.where(seeds == 2, 9, seeds))
    np.testing.assert_array_equal(grabcut(picture, apart).labels, np.select([left, right], [1, 5], 9))
    one_stroke = np.where(apart == 5, 0, apart)
    np.testing.assert_array_equal(grabcut(picture, one_stroke).labels == 1, left)
    np.testing.assert_array_equal(grabcut(picture, one_stroke, connected=False).labels == 1, left | right)
    third = np.where((y - 8) ** 2 + (x - 130) ** 2 < 5**2, True, False)
    picture[third] = 180, 60, 60
    near = grabcut(picture, apart, connected=False).labels
    np.testing.assert_array_equal(near, np.select([left, right | third], [1, 5], 9))


def test_three_colours_and_touching_objects():
    rng = np.random.default_rng(2)
    truth = np.full((90, 90), 8)
    truth[20:70, 15:45], truth[20:70, 45:75] = 3, 4
    colours = {8: (60, 60, 60), 3: (190, 70, 60), 4: (60, 90, 200)}
    picture = np.zeros((90, 90, 3))
    for label, colour in colours.items():
        picture[truth == label] = colour
    picture = (picture + rng.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
    seeds = strokes(truth.shape, (3, slice(40, 50), 25), (4, slice(40, 50), 60), (8, slice(0, 5)))
    found = grabcut(picture, seeds, four_classes=True, cut_out=True)
    np.testing.assert_array_equal(found.labels, truth)
    np.testing.assert_array_equal(found.cutout, np.where((truth < 8)[..., None], picture, 0))
    np.testing.assert_array_equal(found.classes[seeds > 0], np.where(seeds == 8, 1, 2)[seeds > 0])
    np.testing.assert_array_equal(found.classes[seeds == 0], np.where(truth == 8, 3, 4)[seeds == 0])
    renamed = np.where(seeds == 8, 1, seeds)
    np.testing.assert_array_equal(grabcut(picture, renamed, background_id=1).labels, np.where(truth == 8, 1, truth))


def test_boxes_around_each_painted_id():
    picture, disc = disc_on_noise()
    seeds = strokes(disc.shape, (7, 20, slice(30, 101)), (7, slice(20, 91), 30), (7, 90, 100))
    found = grabcut(picture, seeds, seeds_are="boxes").labels
    np.testing.assert_array_equal(found, np.where(disc, 7, 0))
    expected, _ = opencv(picture, np.zeros(disc.shape), 5, cv2.GC_INIT_WITH_RECT, (30, 20, 71, 71))
    np.testing.assert_array_equal(found == 7, expected & 1)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64"])
def test_wide_types_are_stretched_and_say_how(dtype):
    picture, disc = disc_on_noise(noise=4)
    gray = picture[..., 0].astype(np.float64)
    seeds = strokes(disc.shape, (1, slice(50, 60), slice(60, 70)), (2, slice(0, 4)))
    wide = (gray * 9 - 1000 * (np.dtype(dtype).kind != "u")).astype(dtype)
    np.testing.assert_array_equal(grabcut(wide, seeds).labels == 1, disc)
    offset = float(wide.astype(np.float64).ravel()[0] - gray.ravel()[0] * 9)
    by_hand = grabcut(wide, seeds, lower=offset, upper=offset + 255 * 9, return_models=True)
    as_bytes = grabcut(picture[..., 0], seeds, return_models=True)
    np.testing.assert_array_equal(by_hand.labels, as_bytes.labels)
    np.testing.assert_allclose(by_hand.models["mean_1"], as_bytes.models["mean_1"])


def moving_ball(frames=15, size=60, seed=3):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    radii = np.sqrt(np.maximum(12**2 - (np.arange(frames) - 7) ** 2 * 4, 0))
    body = np.stack([(y - 25 - t) ** 2 + (x - 30 + t) ** 2 < r**2 for t, r in enumerate(radii)])
    twin = np.broadcast_to((y - 48) ** 2 + (x - 50) ** 2 < 5**2, body.shape)
    image = np.where(body | twin, 160, 60) + rng.normal(0, 8, body.shape)
    return image.clip(0, 255).astype(np.uint8), body


@pytest.mark.parametrize("axes", ["zyx", "tyx"])
def test_an_object_is_followed_through_planes_and_frames_until_it_ends(axes):
    image, body = moving_ball()
    seeds = strokes(body.shape, (1, 7, 31, slice(20, 27)), (2, 7, slice(0, 3)))
    found = np.asarray(apply(module.grabcut.technique, image, seeds, axes=axes, over=axes).labels)
    assert dice(found == 1, body) > 0.995
    assert not (found[[0, 14]] == 1).any()
    ends = strokes(body.shape, (1, 3, 27, slice(24, 29)), (1, 11, 35, slice(17, 21)), (2, 7, slice(0, 3)))
    assert dice(grabcut(image, ends).labels == 1, body) > 0.995
    far = grabcut(image, seeds, reach=None, connected=False).labels == 1
    assert far[3, 48, 50]
    assert found[3, 48, 50] == 2
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])


def test_strokes_on_several_planes_teach_together_and_hold():
    image, body = moving_ball()
    seeds = strokes(body.shape, (1, 7, 31, slice(20, 27)), (2, 3, slice(0, 3)), (2, 4, slice(24, 27), slice(24, 27)))
    found = grabcut(image, seeds).labels
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])
    assert dice(found == 1, body & (seeds != 2)) > 0.98
    seeds[10, 46:51, 48:53] = 5
    both = grabcut(image, np.where(seeds == 2, 9, seeds)).labels
    assert dice(both == 1, body & (seeds != 2)) > 0.98
    assert (both[[8, 12], 46:51, 48:53] == 5).all()


def test_a_rectangle_on_one_plane_starts_there_and_a_flat_one_on_all():
    image, body = moving_ball()
    on_plane = grabcut(image, None, rectangle(14, 42, 8, 42, z=7)).labels == 1
    assert dice(on_plane, body) > 0.99
    everywhere = grabcut(image[5:10], None, rectangle(10, 55, 4, 42)).labels == 1
    assert dice(everywhere, body[5:10]) > 0.99


def test_outside_the_mask_and_missing_values_are_zero():
    picture, disc = disc_on_noise()
    gray = picture[..., 0].astype(np.float32)
    gray[50:52, 60:62] = np.nan
    seeds = strokes(disc.shape, (1, slice(56, 60), slice(60, 70)), (2, slice(20, 24)), (-1, slice(100, 105)))
    mask = np.zeros(disc.shape, bool)
    mask[10:110, 5:115] = True
    labels = grabcut(gray, seeds, None, None, mask).labels
    np.testing.assert_array_equal(labels == 0, ~mask | np.isnan(gray) | (seeds < 0))
    assert dice((labels == 1) | np.isnan(gray), disc) == 1.0


def test_bad_input_is_refused():
    picture, disc = disc_on_noise()
    none = np.zeros(disc.shape, np.int32)
    with pytest.raises(InputError, match="no rectangle"):
        grabcut(picture)
    with pytest.raises(InputError, match="no painted pixel"):
        grabcut(picture, none)
    one = strokes(disc.shape, (1, 55, 65))
    with pytest.raises(InputError, match="1 of at least 2"):
        grabcut(picture, one)
    with pytest.raises(InputError, match="hold no object"):
        grabcut(picture, one, background_id=1)
    with pytest.raises(InputError, match="no background on a plane"):
        grabcut(picture, None, rectangle(-5, 500, -5, 500))
    with pytest.raises(InputError, match="cover no pixel"):
        grabcut(picture, None, rectangle(200, 210, 5, 10))
    with pytest.raises(InputError, match="no class"):
        grabcut(picture, one * 5, seeds_are="classes")
    with pytest.raises(ParameterError, match="lower"):
        grabcut(picture, one + strokes(disc.shape, (2, 0, 0)), lower=9.0, upper=3.0)
    seeds = one + strokes(disc.shape, (2, slice(0, 3)))
    models = grabcut(picture, seeds, return_models=True).models
    with pytest.raises(InputError, match="no column"):
        grabcut(picture, seeds, None, Table({"label": np.arange(3)}))
    broken = Table({**models.columns, "weight": np.full(10, np.nan)})
    with pytest.raises(InputError, match="finite numbers"):
        grabcut(picture, seeds, None, broken)


def test_thin_constant_and_fully_painted_pictures_have_a_result():
    seeds = strokes((1, 9), (1, 0, 2), (2, 0, 7))
    for picture in (np.zeros((1, 9), np.uint8), np.full((1, 9), 3.5)):
        labels = grabcut(picture, seeds).labels
        assert set(np.unique(labels)) <= {1, 2}
        assert labels[0, 2] == 1
    full = np.ones((4, 4), np.int32)
    full[0] = 2
    np.testing.assert_array_equal(grabcut(np.zeros((4, 4), np.uint8), full).labels, full)


def test_lazy_equals_eager_and_only_asked_outputs_come():
    picture, disc = disc_on_noise()
    seeds = strokes(disc.shape, (1, slice(50, 60), slice(60, 70)), (2, slice(0, 4)))
    eager = apply(module.grabcut.technique, picture, seeds, axes="yxc", cut_out=True)
    lazy = apply(module.grabcut.technique, da.from_array(picture, chunks=(50, 120, 3)), seeds, axes="yxc", cut_out=True)
    np.testing.assert_array_equal(np.asarray(lazy.labels), eager.labels)
    np.testing.assert_array_equal(np.asarray(lazy.cutout), eager.cutout)
    plain = apply(module.grabcut.technique, picture, seeds, axes="yxc")
    assert plain.classes is None
    assert plain.cutout is None
    assert plain.models is None
    by_shape = apply(module.grabcut.technique, picture, None, rectangle(15, 99, 25, 104), axes="yxc")
    np.testing.assert_array_equal(by_shape.labels == 1, disc)
