from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.samples import brain_mri, cells, moving_objects, thorax_ct

FOLDER = Path(__file__).parents[2] / "sample_data"


def test_files_are_small():
    sizes = [p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()]
    assert max(sizes) < 300_000
    assert sum(sizes) < 1_000_000


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("brain-mri.nii.gz", lambda: brain_mri((6, 3, 3)).image),
        ("brain-tissues.nii.gz", lambda: brain_mri((6, 3, 3)).labels),
        ("chest-ct", lambda: thorax_ct((20, 5, 5)).image),
        ("cells.tif", lambda: cells((160, 160), count=30).image),
        ("cells-labels.tif", lambda: cells((160, 160), count=30).labels),
    ],
)
def test_files_hold_what_the_phantoms_make(name, make):
    (found,) = lb.read(FOLDER / name)
    expected = make()
    np.testing.assert_array_equal(np.asarray(found.data), expected.data)
    assert found.geometry == expected.geometry
    assert found.role == expected.role


def test_the_truth_is_in_the_table():
    (table,) = lb.read(FOLDER / "brain-tissues.csv")
    truth = brain_mri((6, 3, 3)).labels.metadata
    column = next(name for name in table if name.startswith("volume"))
    np.testing.assert_allclose(table[column], list(truth["volume_ml"].values()), rtol=1e-6)
    assert table["name"].tolist() == list(truth["names"].values())


@pytest.mark.parametrize(("name", "tolerance"), [("moving-objects.gif", 25), ("moving-objects.mp4", 12)])
def test_videos_show_the_scene(name, tolerance):
    """A GIF has 256 colours and MP4 is lossy, so that single pixels differ; the mean must not, nor may frames be shifted."""
    (found,) = lb.read(FOLDER / name)
    expected = moving_objects(frames=20, shape=(60, 80), size=6.0, noise=1.0).image
    assert found.axes == "tyxc"
    difference = np.abs(np.asarray(found.data)[..., :3].astype(float) - expected.data)
    assert found.shape[:3] == expected.shape[:3]
    assert difference.mean() < tolerance
    assert difference[3].mean() < np.abs(np.asarray(found.data)[3, ..., :3].astype(float) - expected.data[9]).mean()


def test_the_picture_is_the_first_frame():
    (found,) = lb.read(FOLDER / "moving-objects-frame.png")
    expected = moving_objects(frames=20, shape=(60, 80), size=6.0, noise=1.0).image.data[0]
    np.testing.assert_array_equal(np.asarray(found.data), expected)
