from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume


def test_result_equals_python_and_keeps_its_place(head, lightbox, tmp_path):
    path, volume = head
    out = tmp_path / "smooth.nii.gz"
    code, _, _ = lightbox("apply", "gaussian_blur", path, "-o", out, "-p", "sigma=2,1,1", "-p", "unit=physical")
    assert code == 0
    (result,) = lb.read(out)
    np.testing.assert_array_equal(result.data, lb.apply("gaussian_blur", volume, sigma=(2, 1, 1), unit="physical").data)
    assert result.geometry == volume.geometry
    assert result.metadata["provenance"][-1]["technique"] == "gaussian_blur"


def test_plane_by_plane(head, lightbox, tmp_path):
    path, volume = head
    lightbox("apply", "gaussian_blur", path, "-o", tmp_path / "o.nii.gz", "-p", "sigma=2", "--over", "yx")
    (result,) = lb.read(tmp_path / "o.nii.gz")
    np.testing.assert_array_equal(result.data, lb.apply("gaussian_blur", volume, sigma=2, over="yx").data)
    assert not np.array_equal(result.data, lb.apply("gaussian_blur", volume, sigma=2).data)


def test_axes_and_spacing_can_be_stated(head, lightbox, tmp_path):
    path, volume = head
    out = tmp_path / "o.tif"
    assert lightbox("apply", "gaussian_blur", path, "-o", out, "--axes", "tyx", "--spacing", "2,2", "-p", "sigma=2")[0] == 0
    (result,) = lb.read(out)
    assert result.axes == "tyx"
    np.testing.assert_array_equal(result.data, lb.apply("gaussian_blur", volume.data, axes="tyx", sigma=2))


def test_mask_protects_the_outside(blobs, lightbox, tmp_path):
    out = tmp_path / "o.nii.gz"
    assert lightbox("apply", "invert_intensity", blobs["image"], "-o", out, "--mask", blobs["labels"])[0] == 0
    image, labels, result = (np.asarray(lb.read(p)[0].data) for p in (blobs["image"], blobs["labels"], out))
    np.testing.assert_array_equal(result[labels == 0], image[labels == 0])
    assert (result[labels > 0] != image[labels > 0]).all()


def test_seeds_are_the_second_file(blobs, lightbox, tmp_path):
    out = tmp_path / "o.nii.gz"
    code, _, err = lightbox(
        "apply", "marker_controlled_watershed", blobs["image"], blobs["seeds"], "-o", out, "-p", "watershed_line=no"
    )
    assert code == 0, err
    (found,) = lb.read(out)
    (image,), (seeds,) = (lb.read(blobs[name]) for name in ("image", "seeds"))
    assert found.role == "labels"
    expected = lb.apply("marker_controlled_watershed", image, seeds, watershed_line=False, compute=True)
    np.testing.assert_array_equal(np.asarray(found.data), expected.data)


@pytest.mark.parametrize("name", ["o.nii", "o.tif", "o.ome.zarr"])
def test_blocks_give_the_same_file(name, head, lightbox, tmp_path):
    path, volume = head
    out = tmp_path / name
    assert lightbox("apply", "gaussian_blur", path, "-o", out, "--blocks", "-p", "sigma=1.5")[0] == 0
    np.testing.assert_array_equal(np.asarray(lb.read(out)[0].data), lb.apply("gaussian_blur", volume.data, sigma=1.5))


def test_several_outputs_lie_side_by_side(blobs, lightbox, tmp_path):
    assert lightbox("apply", "threshold_otsu", blobs["image"], "-o", tmp_path / "bright.nii.gz")[0] == 0
    (image,), (bright,) = lb.read(blobs["image"]), lb.read(tmp_path / "bright.nii.gz")
    np.testing.assert_array_equal(np.asarray(bright.data) > 0, np.asarray(image.data) == 900)
    level = json.loads((tmp_path / "bright-threshold.json").read_text())
    assert 100 <= level < 900


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gausian_blur", "HEAD", "-o", "OUT"], "gaussian_blur"),
        (["gaussian_blur", "HEAD"], "-o"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "-p", "sigma=many"], "sigma"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "-p", "sigma=-1"], "from 0 to 200"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "-p", "width=1"], "sigma"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "-p", "sigma"], "-p sigma=2"),
        (["gaussian_blur", "HEAD", "HEAD", "-o", "OUT"], "image (image)"),
        (["gaussian_blur", "missing.nii", "-o", "OUT"], "does not exist"),
        (["gaussian_blur", "HEAD", "-o", "out.xyz"], "no writer"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "--axes", "yx"], "axes"),
        (["gaussian_blur", "HEAD", "-o", "OUT", "--spacing", "wide"], "--spacing 3,1,1"),
        (["marker_controlled_watershed", "HEAD", "-o", "OUT"], "seeds (seeds)"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, words, head, lightbox, tmp_path):
    names = {"HEAD": head[0], "OUT": tmp_path / "out.nii.gz"}
    code, out, err = lightbox("apply", *(names.get(a, a) for a in arguments))
    assert code == 2
    assert words in err
    assert out == ""
    assert "Traceback" not in err
    assert not (tmp_path / "out.nii.gz").exists()


def test_damaged_file_is_an_error_not_a_traceback(lightbox, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b" + b"not gzip" * 10)
    code, _, err = lightbox("apply", "gaussian_blur", tmp_path / "broken.nii.gz", "-o", tmp_path / "o.nii.gz")
    assert code == 2
    assert err.startswith("lightbox: ")


def test_values_without_output_are_printed(blobs, lightbox):
    from napari_lightbox.contract import registry

    plain = [
        t for t in registry.find("measure")
        if not any(o.is_array for o in t.outputs) and [i.role.name for i in t.inputs if not i.optional] == ["labels"]
    ]  # fmt: skip
    for technique in plain:
        code, out, err = lightbox("apply", technique.id, blobs["labels"])
        assert code == 0, err
        assert out.count("\n") >= 2


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a POSIX signal")
@pytest.mark.parametrize("extra", [[], ["--blocks"]], ids=["whole", "blocks"])
def test_ctrl_c_stops_cleanly(extra, tmp_path):
    """Interrupt a run in its middle: exit code 130, one sentence, no output, no left-overs."""
    data = np.random.default_rng(0).integers(0, 255, (160, 512, 512), dtype=np.uint8)
    lb.write(tmp_path / "big.nii", Volume(data, Geometry.of("zyx", data.shape)))
    command = [
        sys.executable,
        "-m",
        "napari_lightbox",
        "apply",
        "median_filter",
        "big.nii",
        "-o",
        "out.nii",
        "-p",
        "size=5",
        *extra,
    ]
    environment = {**os.environ, "LIGHTBOX_THREADS": "1"}
    # a test run in the background ignores Ctrl-C and would hand that on
    hear_ctrl_c = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=hear_ctrl_c)
    time.sleep(3)
    assert process.poll() is None, "finished too early to be interrupted"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT), err  # a shell shows both as 130
    assert "cancelled" in err
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["big.nii"]


def test_numbers_and_words_as_people_write_them():
    from napari_lightbox.cli.parameters import read_value
    from napari_lightbox.contract import registry

    known = registry.get("gaussian_blur").signature.by_name
    assert read_value(known["sigma"], "3,5,5") == [3, 5, 5]
    assert read_value(known["sigma"], "[3, 5.5]") == [3, 5.5]
    assert read_value(known["sigma"], "1e-1") == 0.1
    assert read_value(known["kernel_size"], "none") is None
    assert read_value(known["unit"], "Physical") == "physical"
    flag = registry.get("marker_controlled_watershed").signature.by_name["watershed_line"]
    assert [read_value(flag, text) for text in ("yes", "True", "off", "0", "maybe")] == [True, True, False, False, "maybe"]
    assert json.dumps(read_value(flag, "on")) == "true"
