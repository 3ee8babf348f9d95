from __future__ import annotations

import re

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.cli.demo_tumour import TUMOUR, around_tumour, dice, in_chest, volume_ml
from napari_lightbox.samples import thorax_ct
from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM


@pytest.fixture(scope="module")
def case():
    phantom = thorax_ct()
    return around_tumour(phantom.image, phantom.labels)


def test_the_case_lies_where_the_tumour_is(case):
    assert volume_ml(case.truth) == pytest.approx(case.analytic_ml, rel=0.03)  # counting voxel centres
    middle = np.argwhere(case.truth.data).mean(axis=0)
    world = case.truth.geometry.affine @ [*middle, 1]
    np.testing.assert_allclose(world[:3], TUMOUR_CENTRE_MM, atol=1.5)  # half a voxel
    assert in_chest(case, case.truth).data.sum() == case.truth.data.sum()


def test_seeds_lie_in_what_they_name(case):
    assert (case.truth.data[case.seeds.data == TUMOUR] > 0).all()
    assert (case.truth.data[case.seeds.data > TUMOUR] == 0).all()


def test_dice_of_known_overlaps(case):
    assert dice(case.truth, case.truth) == 1
    assert dice(case.truth.with_data(np.roll(case.truth.data, 20, axis=2)), case.truth) == 0


def test_demo_writes_everything_and_is_right(lightbox, tmp_path):
    code, out, err = lightbox("demo", "-o", tmp_path / "demo", "--no-window")
    assert code == 0, err
    scores = [float(s) for s in re.findall(r"Dice ([\d.]+)", out)]
    assert len(scores) == 2
    assert min(scores) > 0.97
    assert "CHANGED" not in out
    folder = tmp_path / "demo"
    for engine in ("marker_controlled_watershed", "random_walker"):
        (labels,) = lb.read(folder / f"{engine}.nii.gz")
        (table,) = lb.read(folder / f"{engine}.csv")
        assert labels.role == "labels"
        assert len(next(iter(table.columns.values()))) == len(np.unique(np.asarray(labels.data)))
    assert len(lb.read(folder / "tumour.ome.zarr")) == 2
    assert len(list((folder / "ct-series").iterdir())) == 48


def test_without_display_it_says_how(monkeypatch, capsys, tmp_path):
    from napari_lightbox.cli import demo_gallery

    monkeypatch.setattr(demo_gallery.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert demo_gallery.show_gallery(tmp_path, [], screenshots=True) == []
    assert "xvfb-run" in capsys.readouterr().out
