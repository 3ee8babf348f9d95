"""Non-local means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Extent, Halo, Range, Unit, VisibleIf, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.borders import border_index
from napari_lightbox.kernels.missing import nan_spreads
from napari_lightbox.kernels.nlm import non_local_means as filtered
from napari_lightbox.kernels.rounding import as_floating, to_dtype
from napari_lightbox.kernels.type_range import or_share


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    reach = p["patch_distance"] + p["patch_size"] // 2
    if p["method"] == "opencv" and extent.ndim == 3:
        return (p["temporal_window"] // 2, reach, reach)
    return (reach,) * extent.ndim


def _check(p: Parameters, ndim: int) -> None:
    if p["method"] == "opencv" and p["sigma"] > 0:
        raise ParameterError("sigma", "OpenCV cannot take the noise off the distances", 'Choose the method "fast" or "classic"')


@technique(
    "non_local_means",
    title="Non-local means",
    locality=Halo(_radius),
    synonyms=("NLM", "nl-means", "patch denoising", "fastNlMeansDenoising"),
    memory=6.0,
    check=_check,
)
def non_local_means(
    image: Image,
    *,
    h: Annotated[float | None, Range(1e-9, None), Unit("intensity")] = None,
    sigma: Annotated[float, Range(0, None), Unit("intensity")] = 0.0,
    patch_size: Annotated[int, Range(2, 99), Unit("px")] = 7,
    patch_distance: Annotated[int, Range(1, 99), Unit("px")] = 11,
    method: Literal["fast", "classic", "opencv"] = "fast",
    temporal_window: Annotated[int, Range(1, 99), VisibleIf("method", "opencv"), Advanced()] = 3,
) -> Image:
    """Replace each pixel by the mean of the pixels whose surroundings look alike.

    Weighs every pixel of a search window by exp(-d / h^2), d the mean squared difference between the patches around the
    two. Keeps texture and fine lines that repeat; slow, with a cost that grows with the search window.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    h
        Difference between patches up to which they count as alike, in the image's own intensity; about 0.6 to 0.8 times
        the noise when sigma is given, the noise itself when not. None means a tenth of the type's full scale: 25.5 for
        8 bits, 0.1 for floating images.
    sigma
        Standard deviation of the noise, taken off the differences; 0 takes nothing off.
    patch_size
        Width of the patches; an even number counts as the next odd one.
    patch_distance
        How far to search to each side.
    method
        fast: flat patches, as scikit-image's fast mode. classic: patches weighted by a Gaussian of a quarter of their
        width, searched inside the image only. opencv: OpenCV's, for 8 and 16-bit integers; over three axes its patches
        stay in the plane and the search runs over the first axis, for videos.
    temporal_window
        Odd number of planes that OpenCV searches over three axes.

    Returns
    -------
    image
        Same shape and type; integers are rounded.

    Raises
    ------
    ParameterError
        A noise level with the method opencv.
    InputError
        opencv with anything but uint8 and uint16.

    Notes
    -----
    The image is mirrored at its border (d c b | a b c d | c b a). Weights below exp(-5) count as zero. In fast mode the
    patch is summed over one sample less per axis but divided by the full size, as in scikit-image, whose
    exponential is an approximation within 4 %; here it is exact to single precision. uint16 with
    OpenCV compares absolute differences. A pixel that looks at a NaN becomes NaN.

    References
    ----------
    Buades, Coll, Morel (2005), A non-local algorithm for image denoising, doi:10.1109/CVPR.2005.38; Froment (2014),
    doi:10.5201/ipol.2014.120; skimage.restoration ``denoise_nl_means``; OpenCV ``fastNlMeansDenoising``.
    """
    _check({"method": method, "sigma": sigma}, image.ndim)
    strength = or_share(h, 0.1, image.dtype)
    half = patch_size // 2
    if method == "opencv":
        return _opencv(image, strength, 2 * half + 1, 2 * patch_distance + 1, temporal_window // 2)
    window = np.ones((2 * (patch_distance + half) + 1,) * image.ndim, bool)

    def run(block: NDArray[Any]) -> NDArray[Any]:
        smooth = filtered(as_floating(block), half, patch_distance, strength, sigma, method == "fast")
        return to_dtype(smooth, image.dtype)

    return nan_spreads(run, image, window)


def _opencv(block: NDArray[Any], h: float, patch: int, search: int, around: int) -> NDArray[Any]:
    import cv2

    if block.dtype not in (np.uint8, np.uint16):
        raise InputError("image", f"is {block.dtype}, OpenCV takes uint8 and uint16", 'Choose the method "fast" or "classic"')
    norm = cv2.NORM_L2 if block.dtype == np.uint8 else cv2.NORM_L1
    data = np.ascontiguousarray(block)
    if block.ndim == 2:
        return np.asarray(cv2.fastNlMeansDenoising(data, [h], None, patch, search, norm))
    frames = [data[i] for i in border_index(len(data), around, around, "mirror")]
    # OpenCV wants the neighbours of every frame it denoises, so the outer frames get mirrored ones
    return np.stack([
        cv2.fastNlMeansDenoisingMulti(
            frames[z : z + 2 * around + 1], around, 2 * around + 1, [h], None, patch, search, norm
        )
        for z in range(len(data))
    ])  # fmt: skip
