"""The suite every file format passes: what goes out comes back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import LightboxError
from napari_lightbox.testing.compare import assert_same


class FormatSuite:
    """Subclass and say what the format holds."""

    suffix: ClassVar[str] = ""
    dtypes: ClassVar[Sequence[str]] = ("uint8",)
    axes: ClassVar[Sequence[str]] = ("zyx",)
    keeps_geometry: ClassVar[bool] = True
    keeps_labels: ClassVar[bool] = True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run over types and axes."""
        for name, values in (("dtype", self.dtypes), ("axes", self.axes)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, list(values))

    def volume(self, dtype: str, axes: str, seed: int = 0) -> Volume:
        """Return a small volume with spacing and origin."""
        rng = np.random.default_rng(seed)
        lengths = {"t": 3, "c": 3, "z": 5, "y": 12, "x": 14}
        shape = tuple(lengths[a] for a in axes)
        kind = np.dtype(dtype)
        data = rng.normal(size=shape) * 100 if kind.kind == "f" else rng.integers(0, min(np.iinfo(kind).max, 1000), shape)
        steps = {"t": 1.0, "c": 1.0, "z": 2.5, "y": 0.75, "x": 0.5}
        spatial = [a in "zyx" for a in axes]
        origin = [11.5 * (i + 1) if s else 0.0 for i, s in enumerate(spatial)]
        units = ["mm" if s else "pixel" for s in spatial]
        return Volume(data.astype(kind), Geometry.of(axes, shape, [steps[a] for a in axes], origin, units), name="sample")

    def path(self, folder: Path) -> Path:
        """Return a file name of the format."""
        return folder / f"sample{self.suffix}"

    def test_round_trip(self, tmp_path: Path, dtype: str, axes: str) -> None:
        """Data, dtype, axes and geometry come back, eagerly and lazily written."""
        volume = self.volume(dtype, axes)
        for number, data in enumerate((volume.data, da.from_array(volume.data, chunks=4 if "c" not in axes else -1))):
            path = self.path(tmp_path / str(number))
            path.parent.mkdir()
            lb.write(path, volume.with_data(data))
            back = lb.read(path)[0]
            assert back.axes == axes
            assert_same(np.asarray(back.data), volume.data, self.suffix, rtol=0, atol=0)
            if self.keeps_geometry:
                np.testing.assert_allclose(back.geometry.affine, volume.geometry.affine, rtol=1e-5, atol=1e-5)

    def test_labels_come_back_as_labels(self, tmp_path: Path) -> None:
        """The role survives where the format has a place for it."""
        if not self.keeps_labels:
            return
        volume = self.volume("uint8", self.axes[0])
        labels = Volume(volume.data % 4, volume.geometry, role="labels", name="sample")
        path = self.path(tmp_path)
        lb.write(path, labels)
        back = lb.read(path)[0]
        assert back.role == "labels"
        np.testing.assert_array_equal(np.asarray(back.data), labels.data)

    def test_a_truncated_file_is_refused_in_words(self, tmp_path: Path) -> None:
        """Half a file gives one of our errors that names it, at reading or at the first pixel."""
        path = self.path(tmp_path)
        lb.write(path, self.volume(self.dtypes[0], self.axes[0]))
        if path.is_dir():
            return
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 3])
        with pytest.raises(LightboxError, match="sample"):
            for value in lb.read(path):
                _touch(value)

    def test_a_missing_file_is_refused_in_words(self, tmp_path: Path) -> None:
        """A path that is not there gives our error."""
        with pytest.raises(LightboxError, match="nowhere"):
            lb.read(tmp_path / f"nowhere{self.suffix}")

    def test_a_failed_write_leaves_the_old_file(self, tmp_path: Path) -> None:
        """An error in the middle of writing leaves the old file and nothing else."""
        volume = self.volume(self.dtypes[0], self.axes[0])
        path = self.path(tmp_path)
        lb.write(path, volume)
        before = np.asarray(lb.read(path)[0].data)

        def broken(block: Any) -> Any:
            raise RuntimeError("the source broke")

        bad = da.map_blocks(
            broken,
            da.from_array(volume.data, chunks=-1),
            dtype=volume.dtype,
            meta=np.empty((0,) * volume.data.ndim, volume.dtype),
        )
        with pytest.raises((RuntimeError, LightboxError)):
            lb.write(path, volume.with_data(bad))
        np.testing.assert_array_equal(np.asarray(lb.read(path)[0].data), before)
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


def _touch(value: Any) -> None:
    if isinstance(value, Volume):
        np.asarray(value.data)
