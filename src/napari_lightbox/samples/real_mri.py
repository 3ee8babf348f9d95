"""Real MRI that comes with nibabel: a small T1, a small fMRI and a brain series with an oblique affine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_lightbox.axes import Volume
from napari_lightbox.errors import ReadError

FILES = ("anatomical.nii", "functional.nii", "example4d.nii.gz")


def real_mri_path(name: str) -> Path:
    """Return the path of one of nibabel's files.

    Raises
    ------
    ReadError
        This installation of nibabel comes without its test data.
    """
    import nibabel

    path = Path(nibabel.__file__).parent / "tests" / "data" / name
    if not path.is_file():
        raise ReadError(name, "is not part of this installation of nibabel", "Install nibabel from PyPI: pip install nibabel")
    return path


def real_mri(name: str = "example4d.nii.gz") -> list[Volume]:
    """Return a real MRI with the geometry its file states."""
    from napari_lightbox.io.formats import read

    label = name.partition(".")[0]
    return [replace(v, name=label) for v in read(real_mri_path(name)) if isinstance(v, Volume)]
