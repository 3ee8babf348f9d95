"""Our own formats pass the suite that third parties subclass."""

from __future__ import annotations

from napari_lightbox.testing import FormatSuite

WIDE = ("uint8", "int16", "uint16", "int32", "float32", "float64")


class TestNifti(FormatSuite):
    suffix = ".nii"
    dtypes = WIDE
    axes = ("zyx", "tzyx", "yx")


class TestCompressedNifti(FormatSuite):
    suffix = ".nii.gz"
    dtypes = ("int16", "float32")
    axes = ("zyx",)


class TestMetaImage(FormatSuite):
    suffix = ".mha"
    dtypes = WIDE
    axes = ("zyx", "yx")


class TestNrrd(FormatSuite):
    suffix = ".nrrd"
    dtypes = WIDE
    axes = ("zyx", "yx")


class TestTiff(FormatSuite):
    suffix = ".ome.tif"
    dtypes = ("uint8", "int16", "uint16", "float32")
    axes = ("zyx", "tyx", "yx", "yxc")


class TestOmeZarr(FormatSuite):
    suffix = ".ome.zarr"
    dtypes = WIDE
    axes = ("zyx", "tzyx", "yx")


class TestPng(FormatSuite):
    suffix = ".png"
    dtypes = ("uint8", "uint16")
    axes = ("yx", "yxc")
    keeps_geometry = False
