"""Importing the package is cheap and loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("scipy", "skimage", "dask", "torch", "napari", "cv2", "SimpleITK", "pandas", "zarr", "numba")


def modules_after(code: str) -> list[str]:
    script = f"{code}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "code",
    [
        "import napari_lightbox as lb",
        "import napari_lightbox as lb; lb.Volume, lb.Geometry",
        "import napari_lightbox as lb; lb.find(); lb.technique('median_filter').parameters",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    loaded = {name.partition(".")[0] for name in modules_after(code)}
    assert not loaded & set(HEAVY)


def test_the_import_itself_loads_not_even_numpy() -> None:
    assert "numpy" not in modules_after("import napari_lightbox")
