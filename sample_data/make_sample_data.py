"""Write the small files beside this script: ``python sample_data/make_sample_data.py [FOLDER]``.

They are made from the phantoms of `napari_lightbox.samples`, so that the truth is known and nobody's data are involved.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Table
from napari_lightbox.samples import brain_mri, cells, moving_objects, thorax_ct


def main(folder: Path) -> None:
    """Write all files."""
    folder.mkdir(parents=True, exist_ok=True)
    mri, tissues = brain_mri((6, 3, 3))
    lb.write(folder / "brain-mri.nii.gz", mri)
    lb.write(folder / "brain-tissues.nii.gz", tissues)
    names, volumes = tissues.metadata["names"], tissues.metadata["volume_ml"]
    truth = {"label": list(names), "name": list(names.values()), "volume": [volumes[n] for n in names.values()]}
    lb.write(folder / "brain-tissues.csv", Table(truth, {"volume": "ml"}))
    lb.write(folder / "chest-ct", thorax_ct((20, 5, 5)).image)
    nuclei, labels = cells((160, 160), count=30)
    lb.write(folder / "cells.tif", nuclei, compression="zlib")
    lb.write(folder / "cells-labels.tif", labels, compression="zlib")
    video = moving_objects(frames=20, shape=(60, 80), size=6.0, noise=1.0).image
    lb.write(folder / "moving-objects.gif", video)
    lb.write(folder / "moving-objects.mp4", video)
    lb.write(folder / "moving-objects-frame.png", _frame(video, 0))
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != Path(__file__).name):
        print(f"{path.stat().st_size / 1000:8.1f} kB  {path.relative_to(folder)}")


def _frame(video: Volume, number: int) -> Volume:
    picture = video.data[number]
    return replace(video, data=picture, geometry=Geometry.of("yxc", picture.shape), name="frame")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
