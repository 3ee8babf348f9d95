"""Video: the right frame at any time, whatever the codec and the order."""

from __future__ import annotations

import pickle

import cv2
import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io import video

COUNT = 90


def counting(count: int = COUNT, shape: tuple[int, int] = (32, 64)) -> np.ndarray:
    """Return frames that show their number as eight black or white squares on a ramp."""
    frames = np.zeros((count, *shape, 3), "uint8")
    frames[..., 0] = np.linspace(0, 200, shape[1])
    frames[..., 1] = 60
    for number in range(count):
        for bit in range(8):
            frames[number, 8:24, bit * 8 : (bit + 1) * 8] = 255 * (number >> bit & 1)
    return frames


def shown(frame: np.ndarray) -> int:
    return sum(1 << bit for bit in range(8) if frame[12:20, bit * 8 + 2 : bit * 8 + 6].mean() > 127)


def movie(frames: np.ndarray, rate: float = 25.0) -> Volume:
    units = ("s", "pixel", "pixel", "pixel")[: frames.ndim]
    return Volume(
        da.from_array(frames, chunks=(8, -1, -1, -1)[: frames.ndim]),
        Geometry.of("tyxc"[: frames.ndim], frames.shape, {"t": 1 / rate}, None, units),
    )


@pytest.mark.parametrize(
    ("name", "codec", "least"),
    [("a.mp4", None, 35), ("a.avi", None, np.inf), ("a.mkv", None, np.inf), ("b.avi", "MJPG", 35), ("b.mkv", "VP90", 35)],
)
def test_random_access_finds_the_right_frame(tmp_path, name, codec, least):
    frames = counting()
    lb.write(tmp_path / name, movie(frames), codec=codec)
    (volume,) = lb.read(tmp_path / name)
    assert volume.shape == frames.shape
    assert volume.geometry.spacing[0] == pytest.approx(0.04)
    assert volume.metadata["fps"] == pytest.approx(25)
    sequential = []
    opened = cv2.VideoCapture(str(tmp_path / name))
    while (read := opened.read())[0]:
        sequential.append(read[1][..., ::-1])
    assert len(sequential) == COUNT
    for number in np.random.default_rng(0).permutation(COUNT)[:25]:
        frame = np.asarray(volume.data[number])
        assert shown(frame) == number
        np.testing.assert_array_equal(frame, sequential[number])
    noise = ((np.stack(sequential).astype(float) - frames) ** 2).mean()
    assert (np.inf if noise == 0 else 10 * np.log10(255**2 / noise)) >= least


def test_uneven_time_stamps_do_not_mislead(tmp_path):
    frames, path = counting(), str(tmp_path / "a.mp4")
    writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 1000, (64, 32))
    for number, frame in enumerate(frames):
        writer.set(cv2.VIDEOWRITER_PROP_PTS, number * 40 + (number % 7) * 5)
        writer.write(frame[..., ::-1])
    writer.release()
    (volume,) = lb.read(path)
    for number in (80, 3, 55, 30, 79, 0, 88):
        assert shown(np.asarray(volume.data[number])) == number


def test_wrong_counts_in_the_header_are_corrected(tmp_path, monkeypatch):
    lb.write(tmp_path / "a.avi", movie(counting(12)))
    decoder = video.Decoder(tmp_path / "a.avi", 25.0, 0.0)
    assert decoder.count(12, exact=False) == 12
    assert decoder.count(15, exact=False) == 12
    assert lb.read(tmp_path / "a.avi", verify=True)[0].shape[0] == 12


def test_start_stop_step(tmp_path):
    lb.write(tmp_path / "a.avi", movie(counting(40)))
    (volume,) = lb.read(tmp_path / "a.avi", start=10, stop=31, step=4)
    assert [shown(f) for f in np.asarray(volume.data)] == [10, 14, 18, 22, 26, 30]
    assert volume.geometry.origin[0] == pytest.approx(0.4)
    assert volume.geometry.spacing[0] == pytest.approx(0.16)


def test_opening_decodes_a_few_frames_only(tmp_path, monkeypatch):
    lb.write(tmp_path / "a.mp4", movie(counting(200)))
    decoded = []
    monkeypatch.setattr(
        video.Decoder, "__call__", lambda self, n, call=video.Decoder.__call__: decoded.append(n) or call(self, n)
    )
    (volume,) = lb.read(tmp_path / "a.mp4")
    assert decoded == []
    np.asarray(volume.data[150, 8:24])
    assert decoded == [150]
    assert volume.data.chunksize == (1, 32, 64, 3)


def test_odd_sizes_gray_and_names(tmp_path):
    frames = counting(6)[:, :31, :63, 0]
    lb.write(tmp_path / "a.avi", movie(frames))
    found = np.asarray(lb.read(tmp_path / "a.avi")[0].data)
    assert found.shape == (6, 32, 64, 3)
    for channel in range(3):
        np.testing.assert_array_equal(found[:, :31, :63, channel], frames)


def test_decoder_travels_to_other_processes(tmp_path):
    lb.write(tmp_path / "a.avi", movie(counting(5)))
    (volume,) = lb.read(tmp_path / "a.avi")
    assert shown(np.asarray(pickle.loads(pickle.dumps(volume.data))[3])) == 3


def test_refusals(tmp_path):
    frames = movie(counting(4))
    with pytest.raises(WriteError, match="uint8"):
        lb.write(tmp_path / "a.mp4", frames.with_data(frames.data.astype("float32")))
    with pytest.raises(WriteError, match="axes t, y, x"):
        lb.write(tmp_path / "a.mp4", Volume(np.zeros((3, 4, 5), "uint8"), Geometry("zyx", (3, 4, 5))))
    with pytest.raises(WriteError, match="label numbers"):
        lb.write(tmp_path / "a.mp4", Volume(np.zeros((3, 4, 5), "uint8"), Geometry("tyx", (3, 4, 5)), {}, "labels"))
    with pytest.raises(WriteError, match="not available"):
        lb.write(tmp_path / "a.mp4", frames, codec="nope")
    assert not list(tmp_path.iterdir())


def test_damaged_video(tmp_path):
    lb.write(tmp_path / "a.mp4", movie(counting(30)))
    content = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(ReadError) as caught:
        lb.read(tmp_path / "a.mp4")
    assert caught.value.subject.endswith("a.mp4")
