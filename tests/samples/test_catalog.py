from __future__ import annotations

import socket

import numpy as np
import pytest

from napari_lightbox.axes import Volume
from napari_lightbox.errors import ReadError
from napari_lightbox.samples import SAMPLES, napari_samples, real_mri, sample

SMALL = sorted(set(SAMPLES) - {"retina", "hubble_deep_field"})


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", SMALL)
def test_every_sample_loads_without_network(name, no_network):
    volumes = sample(name).load()
    assert volumes
    for volume in volumes:
        assert isinstance(volume, Volume)
        assert volume.name
        assert np.asarray(volume.data).size > 100
        assert np.ptp(np.nan_to_num(np.asarray(volume.data, np.float64), posinf=0)) > 0
    assert sample(name).title
    assert sample(name).provenance


def test_colour_and_labels_are_told_apart():
    assert sample("coffee").load()[0].axes == "yxc"
    assert sample("horse").load()[0].role == "labels"
    assert [v.name for v in sample("stereo_motorcycle").load()] == [
        f"stereo_motorcycle {p}" for p in ("left", "right", "disparity")
    ]


def test_unknown_sample_names_those_that_exist():
    with pytest.raises(ReadError, match="brain_mri"):
        sample("nothing")


def test_real_mri_keeps_its_geometry():
    """The affine equals nibabel's, turned from right-anterior-superior to left-posterior-superior and to z, y, x order."""
    import nibabel

    from napari_lightbox.samples import real_mri_path

    (mri,) = real_mri("example4d.nii.gz")
    reference = nibabel.load(real_mri_path("example4d.nii.gz"))
    assert (mri.axes, mri.shape) == ("tzyx", reference.shape[::-1])
    np.testing.assert_array_equal(np.asarray(mri.data), np.asarray(reference.dataobj).T)
    index = np.array([1, 7, 50, 31])
    world = mri.geometry.affine @ [*index, 1]
    expected = (reference.affine @ [*index[:0:-1], 1])[:3] * [-1, -1, 1]
    np.testing.assert_allclose(world[1:4][::-1], expected, atol=1e-4)


def test_missing_file_says_what_to_do():
    with pytest.raises(ReadError, match="pip install nibabel"):
        real_mri("nothing.nii")


@pytest.mark.parametrize("name", ["cells_2d", "coffee", "horse"])
def test_napari_gets_layers(name):
    layers = getattr(napari_samples, name)()
    kinds = [kind for _, _, kind in layers]
    assert kinds == [v.role for v in sample(name).load()]


def test_napari_commands_exist_for_samples_only():
    with pytest.raises(AttributeError):
        napari_samples.nothing  # noqa: B018 - the attribute is the point
