"""PNG, JPEG, BMP, WebP and GIF: bit-exact where the format is, refused where data would change."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError, WriteError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool"])
@pytest.mark.parametrize("channels", [0, 2, 3, 4])
def test_png_is_exact(tmp_path, dtype, channels):
    if dtype == "bool" and channels:
        pytest.skip("PNG has no colour of one bit")
    shape = (7, 9, *((channels,) if channels else ()))
    data = RNG.integers(0, 2 if dtype == "bool" else np.iinfo(dtype).max, shape).astype(dtype)
    volume = Volume(data, Geometry.of("yxc"[: data.ndim], shape, {"y": 0.5, "x": 0.25}, None, ("um", "um", "pixel")[: data.ndim]))
    lb.write(tmp_path / "a.png", volume)
    (found,) = lb.read(tmp_path / "a.png")
    np.testing.assert_array_equal(found.data, data)
    assert found.data.dtype == data.dtype
    assert found.geometry == volume.geometry
    if dtype != "uint16" or not channels:
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / "a.png")), data)


def test_pictures_of_others_keep_their_dtype(tmp_path):
    gray16 = RNG.integers(0, 65535, (5, 6)).astype("uint16")
    Image.fromarray(gray16).save(tmp_path / "g.png")
    np.testing.assert_array_equal(lb.read(tmp_path / "g.png")[0].data, gray16)
    palette = Image.fromarray(RNG.integers(0, 3, (5, 6)).astype("uint8"), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255] + [0] * 759)
    for name in ("p.png", "p.bmp"):
        palette.save(tmp_path / name)
        np.testing.assert_array_equal(lb.read(tmp_path / name)[0].data, np.array(palette.convert("RGB")))
    colour = RNG.integers(0, 255, (8, 8, 3)).astype("uint8")
    Image.fromarray(colour).save(tmp_path / "c.jpg")
    (volume,) = lb.read(tmp_path / "c.jpg")
    assert volume.axes == "yxc"
    np.testing.assert_array_equal(volume.data, np.array(Image.open(tmp_path / "c.jpg")))


def test_jpeg_turns_photographs_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((4, 10), "uint8")).save(tmp_path / "a.jpg", exif=exif)
    assert lb.read(tmp_path / "a.jpg")[0].shape == (10, 4)


def test_jpeg_is_close_and_keeps_its_note(tmp_path):
    y, x = np.mgrid[:64, :64]
    data = np.stack([y * 2, x * 2, y + x], -1).astype("uint8")
    volume = Volume(data, Geometry.of("yxc", data.shape, (3, 2)), {}, "image", "ramp")
    lb.write(tmp_path / "a.jpg", volume)
    (found,) = lb.read(tmp_path / "a.jpg")
    assert found.geometry == volume.geometry
    assert found.name == "ramp"
    # Quality 95 without chroma subsampling: a few grey levels on a smooth ramp.
    assert np.abs(found.data.astype(int) - data).max() <= 6


def test_lossless_webp_and_bmp(tmp_path):
    data = RNG.integers(0, 255, (8, 9, 3)).astype("uint8")
    volume = Volume(data, Geometry("yxc", data.shape))
    lb.write(tmp_path / "a.webp", volume, quality=100)
    lb.write(tmp_path / "a.bmp", volume)
    for name in ("a.webp", "a.bmp"):
        np.testing.assert_array_equal(lb.read(tmp_path / name)[0].data, data)


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "role", "reason"),
    [
        ("a.png", "float32", (4, 5), "image", "uint8 and uint16"), ("a.jpg", "float32", (4, 5), "image", "holds uint8"),
        ("a.jpg", "uint16", (4, 5), "image", "holds uint8"), ("a.jpg", "uint8", (4, 5), "labels", "blurs label numbers"),
        ("a.jpg", "uint8", (4, 5, 4), "image", "4 channels"), ("a.png", "int32", (4, 5), "labels", "uint8 and uint16"),
        ("a.png", "uint8", (3, 4, 5), "image", "y, x and c"), ("a.gif", "uint16", (3, 4, 5), "image", "uint8"),
    ],
)  # fmt: skip
def test_what_would_change_data_is_refused(tmp_path, name, dtype, shape, role, reason):
    axes = {2: "yx", 3: "yxc" if shape[-1] == 4 else "tyx"}[len(shape)]
    with pytest.raises(WriteError, match=reason) as caught:
        lb.write(tmp_path / name, Volume(np.zeros(shape, dtype), Geometry(axes, shape), {}, role))
    assert "rite" in caught.value.way_out
    assert not list(tmp_path.iterdir())


def test_labels_by_note_and_by_name(tmp_path):
    data = RNG.integers(0, 300, (6, 7)).astype("uint16")
    lb.write(tmp_path / "a.png", Volume(data, Geometry("yx", data.shape), {}, "labels", "cells"))
    assert lb.read(tmp_path / "a.png")[0].role == "labels"
    Image.fromarray(data).save(tmp_path / "cells_labels.png")
    Image.fromarray(data).save(tmp_path / "cells.png")
    assert lb.read(tmp_path / "cells_labels.png")[0].role == "labels"
    assert lb.read(tmp_path / "cells.png")[0].role == "image"


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif"])
def test_cut_off_pictures(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RNG.integers(0, 255, (40, 50)).astype("uint8")).save(path)
    content = path.read_bytes()
    for keep in (30, len(content) // 2, len(content) - 20):
        path.write_bytes(content[:keep])
        with pytest.raises(ReadError) as caught:
            np.asarray(lb.read(path)[0].data)
        assert caught.value.subject == str(path)


@pytest.mark.parametrize("colours", [1, 3])
def test_gif_keeps_frames_and_time(tmp_path, colours):
    data = np.repeat(RNG.integers(0, 6, (5, 8, 9, 1)) * 40, colours, -1).astype("uint8")
    data[2] = data[1]
    data = data[..., 0] if colours == 1 else data
    axes = "tyx" if colours == 1 else "tyxc"
    volume = Volume(data, Geometry.of(axes, data.shape, {"t": 0.2}, None, ("s", "pixel", "pixel", "pixel")[: len(axes)]))
    lb.write(tmp_path / "a.gif", volume)
    (found,) = lb.read(tmp_path / "a.gif")
    assert found.geometry == volume.geometry
    np.testing.assert_array_equal(np.asarray(found.data), data)
    picture = Image.open(tmp_path / "a.gif")
    assert picture.n_frames == 5
    assert picture.info["duration"] == 200


def test_gif_of_others(tmp_path):
    frames = [Image.fromarray(RNG.integers(0, 255, (8, 9, 3)).astype("uint8")).quantize(16) for _ in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[100, 200, 300, 400])
    (volume,) = lb.read(tmp_path / "a.gif")
    assert volume.axes == "tyxc"
    assert volume.metadata["durations"] == [0.1, 0.2, 0.3, 0.4]
    assert volume.geometry.spacing[0] == pytest.approx(0.25)
    for number in (3, 0, 2):
        np.testing.assert_array_equal(np.asarray(volume.data[number]), np.array(frames[number].convert("RGB")))
    frames[0].save(tmp_path / "still.gif")
    assert lb.read(tmp_path / "still.gif")[0].axes == "yxc"
