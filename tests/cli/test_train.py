"""`lightbox train`: from files to a model that `lightbox apply` can use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.samples import cells

pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")

QUICK = ("--merge", "--levels", 2, "--width", 8, "--patch", 48, "--epochs", 3, "--steps", 8)


@pytest.fixture
def folder(tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / "data" / kind).mkdir(parents=True)
    for seed in range(2):
        image, labels = cells((64, 64), count=8, seed=seed)
        lb.write(tmp_path / "data" / "images" / f"cell{seed}.tif", image)
        lb.write(tmp_path / "data" / "labels" / f"cell{seed}.tif", labels)
    return tmp_path / "data"


def test_a_folder_becomes_a_model_that_segments(folder, lightbox, tmp_path):
    code, out, err = lightbox("train", folder, "-o", tmp_path / "model", "--name", "nuclei", *QUICK)
    assert code == 0, err
    assert "2 images with labels" in err
    assert "epoch   3 of 3" in err
    assert "object: Dice 0." in out
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["name"] == "nuclei"
    code, _, err = lightbox(
        "apply", "unet_segmentation", folder / "images" / "cell0.tif", tmp_path / "model", "-o", tmp_path / "l.tif"
    )
    assert code == 0, err
    (found,) = lb.read(tmp_path / "l.tif")
    truth = cells((64, 64), count=8, seed=0).labels.data > 0
    guess = np.asarray(found.data) > 0
    assert 2 * (guess & truth).sum() / (guess.sum() + truth.sum()) > 0.6


def test_pairs_of_files(folder, lightbox, tmp_path):
    paths = [folder / kind / f"cell{i}.tif" for i in range(2) for kind in ("images", "labels")]
    code, out, err = lightbox("train", *paths, "-o", tmp_path / "model", *QUICK)
    assert code == 0, err
    assert str(tmp_path / "model") in out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--levels", "99"), "levels"),
        (("--ignore", "0", "--background", "0"), "Paint background with a label of its own"),
        (("--ndim", "3"), "Train in 2D"),
    ],
)
def test_wrong_settings(folder, lightbox, tmp_path, extra, message):
    code, _, err = lightbox("train", folder, "-o", tmp_path / "model", *extra)
    assert code == 2
    assert message in err
    assert not (tmp_path / "model").exists()


def test_an_odd_number_of_files(folder, lightbox):
    code, _, err = lightbox("train", *[folder / "images" / "cell0.tif"] * 3)
    assert code == 2
    assert "in turn" in err


def test_something_else_is_not_overwritten(folder, lightbox, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.txt").write_text("years")
    code, _, err = lightbox("train", folder, "-o", tmp_path / "thesis", *QUICK)
    assert code == 2
    assert "holds no model" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_keeps_the_best(folder, tmp_path):
    command = [sys.executable, "-m", "napari_lightbox", "train", str(folder), "-o", str(tmp_path / "model"), "--epochs", "5000"]
    command += [*map(str, QUICK[:7]), "--steps", "2", "--patience", "5000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    end = time.monotonic() + 120
    while not (tmp_path / "model" / "card.json").exists():
        assert time.monotonic() < end, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped early" in err
    assert str(tmp_path / "model") in out
    assert json.loads((tmp_path / "model" / "card.json").read_text())["history"]["cancelled"] is True
