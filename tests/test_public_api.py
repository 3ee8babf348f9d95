"""The pinned names and shapes of the public face."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.errors import LightboxError, UnknownTechniqueError


def test_names() -> None:
    assert set(lb.__all__) >= {"Volume", "apply", "connect", "find", "read", "technique", "write", "__version__"}
    for name in lb.__all__:
        assert getattr(lb, name) is not None
    with pytest.raises(AttributeError):
        lb.no_such_name  # noqa: B018


def test_find_and_technique() -> None:
    found = lb.find(family="denoise")
    assert {t.family for t in found} == {"denoise"}
    median = lb.technique("median_filter")
    assert (median.id, median.family, median.kind) == ("median_filter", "denoise", "technique")
    assert median.doc.endswith(".")
    assert [i.name for i in median.inputs] == ["image"]
    assert {p.name for p in median.parameters} >= {"size"}
    assert median.outputs[0].role.name == "image"
    with pytest.raises(UnknownTechniqueError, match="median_filter"):
        lb.technique("median_filtr")


def test_apply_keeps_the_kind_of_what_comes_in() -> None:
    import dask.array as da

    image = np.random.default_rng(0).integers(0, 255, (30, 40)).astype(np.uint8)
    assert isinstance(lb.apply("invert_intensity", image), np.ndarray)
    assert isinstance(lb.apply("invert_intensity", da.from_array(image)), da.Array)
    volume = lb.apply("invert_intensity", lb.Volume(image, lb.Geometry.of("yx", image.shape, 0.5)))
    assert isinstance(volume, lb.Volume)
    assert volume.geometry.spacing == (0.5, 0.5)


def test_keywords_of_apply() -> None:
    assert {"axes", "spacing", "mask", "over", "compute"} <= set(inspect.signature(lb.apply).parameters)


def test_seeds_with_a_channel_axis_are_refused_not_followed_out_of_bounds() -> None:
    image = np.random.default_rng(0).random((6, 20, 22, 2))
    seeds = np.zeros(image.shape, np.int32)
    seeds[:, 2, 2], seeds[:, 15, 15] = 1, 2
    for technique in ("marker_controlled_watershed", "random_walker"):
        with pytest.raises(LightboxError, match="channel axis"):
            lb.apply(technique, image, seeds, axes="zyxc")


@pytest.mark.parametrize(
    ("inputs", "options", "mention"),
    [
        ((), {}, "image"),
        (("text",), {}, "str"),
        ((np.zeros((4, 4)), np.zeros((4, 4))), {}, "takes 1"),
        ((np.zeros((4, 4)),), {"axes": "zyx"}, "2 dimensions"),
        ((np.zeros((4, 4)),), {"axes": "yy"}, "twice"),
        ((np.zeros((4, 4)),), {"axes": "yx", "spacing": -1}, "not above zero"),
        ((np.zeros((4, 4)),), {"axes": "yx", "spacing": (1, 2, 3)}, "3 values"),
        ((np.zeros((4, 4)),), {"over": "zy"}, "over"),
        ((np.zeros((4, 4)),), {"mask": np.zeros((5, 4), bool)}, "mask"),
        ((np.array(["a"]),), {}, "dtype"),
        ((np.zeros((0, 4)),), {}, "empty"),
        ((np.zeros((2,) * 6),), {}, "axes"),
    ],
)
def test_wrong_input_is_refused_with_reason_and_way_out(inputs: tuple, options: dict, mention: str) -> None:
    with pytest.raises(LightboxError) as caught:
        lb.apply("gaussian_blur", *inputs, **options)
    assert mention in str(caught.value)
    assert caught.value.way_out
