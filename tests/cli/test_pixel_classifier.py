"""A model goes from one image to the next by way of a file: apply by position, by name, in blocks, in a recipe."""

from __future__ import annotations

import json

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume


@pytest.fixture
def scribbled(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(80, 120, (60, 70)).astype(np.uint8)
    image[:, 40:] += 60
    seeds = np.zeros(image.shape, np.int32)
    seeds[10:40, 8], seeds[10:40, 60] = 1, 2
    geometry = Geometry.of("yx", image.shape, (0.5, 0.5), None, ("um", "um"))
    volumes = Volume(image, geometry), Volume(seeds, geometry, role="labels")
    for name, volume in zip(("image", "seeds"), volumes, strict=True):
        lb.write(tmp_path / f"{name}.ome.tif", volume)
    return volumes


def labels_in(path) -> np.ndarray:
    return np.asarray(lb.read(path)[0].data)


def test_train_then_apply_to_other_images(scribbled, lightbox, tmp_path):
    image, seeds, out = (tmp_path / f"{n}.ome.tif" for n in ("image", "seeds", "found"))
    train = ("apply", "pixel_classifier", image, seeds, "-o", out, "-p", "trees=10", "-p", "keep_model=yes", "-p", "sigmas=1,2")
    code, _, err = lightbox(*train, "-p", "full_prob=yes", "-p", "keep_seeds=no")
    assert code == 0, err
    model = tmp_path / "found-model.safetensors"
    expected = lb.apply("pixel_classifier", *scribbled, trees=10, sigmas=(1, 2), full_prob=True, keep_seeds=False)
    np.testing.assert_array_equal(labels_in(out), np.asarray(expected.labels.data))
    (shares,) = lb.read(tmp_path / "found-probabilities.ome.tif")
    np.testing.assert_array_equal(np.asarray(shares.data), np.asarray(expected.probabilities.data))
    recipe = tmp_path / "recipe.json"
    step = {"technique": "pixel_classifier", "inputs": ["input", None, f"value:{json.dumps(str(model))}"]}
    recipe.write_text(json.dumps({"lightbox_recipe": 2, "steps": [step]}))
    runs = {
        tmp_path / "by-name.ome.tif": ("apply", "pixel_classifier", image, "-p", f"model={model}", "-o"),
        tmp_path / "by-place.ome.tif": ("apply", "pixel_classifier", image, "-", model, "--blocks", "-o"),
        tmp_path / "many" / "image.ome.tif": ("batch", recipe, image, "-o"),
    }
    for path, command in runs.items():
        code, _, err = lightbox(*command, path.parent if command[0] == "batch" else path)
        assert code == 0, err
        np.testing.assert_array_equal(labels_in(path), labels_in(out), err_msg=path.name)


def test_what_is_wrong_is_said(scribbled, lightbox, tmp_path):
    image, out = tmp_path / "image.ome.tif", tmp_path / "o.ome.tif"
    cases = {
        (): "Paint two classes, or choose a model",
        ("-p", f"model={tmp_path / 'none'}"): "Give the path of a model file",
        ("-p", f"model={image}"): "no intact model file",
    }
    for extra, message in cases.items():
        code, _, err = lightbox("apply", "pixel_classifier", image, "-o", out, *extra)
        assert code == 2
        assert message in err
    code, _, err = lightbox("apply", "pixel_classifier", image, "-", "a", "-o", out, "-p", "model=b")
    assert code == 2
    assert "given twice" in err
    assert not out.exists()
