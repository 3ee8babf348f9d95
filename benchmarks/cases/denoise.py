"""Denoising beside OpenCV, scikit-image and SciPy."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case


def _cv2(name: str, *arguments: Any, **options: Any) -> Any:
    import cv2

    return getattr(cv2, name)(*arguments, **options)


def _reflect() -> int:
    import cv2

    return int(cv2.BORDER_REFLECT)


def _ndimage(name: str, *arguments: Any, **options: Any) -> Any:
    from scipy import ndimage

    return getattr(ndimage, name)(*arguments, **options)


def _restoration(name: str, *arguments: Any, **options: Any) -> Any:
    from skimage import restoration

    return getattr(restoration, name)(*arguments, **options)


def _perona_malik_itk(image: Any) -> Any:
    import SimpleITK as sitk

    picture = sitk.GetImageFromArray(image.astype("float32"))
    step = 0.125 if image.ndim == 2 else 0.0625
    return sitk.GetArrayFromImage(sitk.GradientAnisotropicDiffusion(picture, step, 1.0, 1, 10))


CASES: list[Case] = [
    Case(
        "gaussian_blur",
        {"sigma": 3.0},
        raw=lambda image: _cv2("GaussianBlur", image, (25, 25), 3.0, borderType=_reflect()),
        peer=lambda image: _ndimage("gaussian_filter", image, 3.0),
        raw_dims=(2,),
    ),
    Case(
        "median_filter",
        {"radius": 1},
        raw=lambda image: _cv2("medianBlur", image, 3),
        peer=lambda image: _ndimage("median_filter", image, 3),
        raw_dims=(2,),
    ),
    Case(
        "median_filter",
        {"radius": 2, "border": "nearest"},
        raw=lambda image: _cv2("medianBlur", image, 5),
        peer=lambda image: _ndimage("median_filter", image, 5, mode="nearest"),
        raw_dims=(2,),
    ),
    Case(
        "mean_filter",
        {"size": 5},
        raw=lambda image: _cv2("blur", image, (5, 5), borderType=_reflect()),
        peer=lambda image: _ndimage("uniform_filter", image, 5),
        raw_dims=(2,),
    ),
    Case(
        "bilateral_filter",
        {"sigma_color": 0.2, "sigma_spatial": 2.0, "window": 7},
        raw=lambda image: _cv2("bilateralFilter", image, 7, 0.2, 2.0),
        peer=lambda image: _restoration("denoise_bilateral", image, 7, 0.2, 2.0),
        dims=(2,),
        dtypes=("float32",),
    ),
    Case(
        "non_local_means",
        {"h": 0.1, "patch_size": 5, "patch_distance": 3},
        peer=lambda image: _restoration("denoise_nl_means", image, 5, 3, 0.1),
        dtypes=("float32",),
    ),
    # ITK's scheme takes gradients between pixels, so the values differ; it is the peer for the same task
    Case("perona_malik", {"kappa": 0.1, "iterations": 10, "gamma": 0.125}, peer=_perona_malik_itk, dtypes=("float32",)),
    Case(
        "tv_chambolle",
        {"weight": 0.1, "max_iterations": 20, "eps": 0.0},
        peer=lambda image: _restoration("denoise_tv_chambolle", image, 0.1, eps=0.0, max_num_iter=20),
        dtypes=("float32",),
    ),
]
