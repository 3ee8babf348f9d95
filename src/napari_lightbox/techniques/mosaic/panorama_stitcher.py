"""Panorama from overlapping pictures."""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Collection, Range, technique
from napari_lightbox.contract.roles import Image, Images, Table
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.errors import InputError

_FAILURES = {
    1: ("do not overlap enough", "Add pictures in between, give pictures with more texture, or lower the confidence"),
    2: ("overlap, but no homography fits", "Take the pictures from one place, or use the mode 'scans' for flat subjects"),
    3: ("overlap, but the cameras cannot be adjusted", "Leave out pictures with moving subjects, or use the mode 'scans'"),
}


class Panorama(NamedTuple):
    """The stitched picture and what became of each picture."""

    panorama: Image
    pictures: Table


@technique(
    "panorama_stitcher",
    title="Panorama stitching",
    locality=Collection(),
    spatial=(2,),
    channels="rgb",
    synonyms=("mosaic", "image stitching", "montage", "tile stitching"),
)
def panorama_stitcher(
    images: Images,
    *,
    mode: Literal["panorama", "scans"] = "panorama",
    confidence: Annotated[float, Range(0, 10, 0.1)] = 1.0,
    wave_correction: bool = True,
    registration_resolution: Annotated[float, Range(-1, 1000, 0.1), Advanced()] = 0.6,
    seam_resolution: Annotated[float, Range(-1, 1000, 0.1), Advanced()] = 0.1,
    compositing_resolution: Annotated[float, Range(-1, 1000, 0.1), Advanced()] = -1.0,
) -> Panorama:
    """Join overlapping pictures, in any order, into one.

    Finds features, matches the pictures, estimates cameras, warps, evens out exposure, and blends along seams that avoid
    edges. Use it on photographs turned about one point, and with scans on flat subjects such as slides and maps.

    Parameters
    ----------
    images
        Two or more 8-bit pictures (y, x) or (y, x, c), or one stack of them, that overlap by a third or so.
    mode
        panorama for a turning camera (homographies, spherical projection), scans for flat subjects (affine).
    confidence
        How sure a match must be for a picture to be used; lower takes more pictures and more mistakes.
    wave_correction
        Straighten the horizon (panorama only).
    registration_resolution, seam_resolution, compositing_resolution
        Megapixels at which features are matched, seams are found and the result is made; -1 keeps the full size.

    Returns
    -------
    panorama
        The joined picture; black where no picture reaches. Its size is known only after the run.
    pictures
        One row per picture: whether it was used, and the camera found for it (focal length, aspect, principal point, rotation).

    Raises
    ------
    InputError
        Fewer than two pictures, another type than 8 bits, or pictures that cannot be joined; the message says why.

    Notes
    -----
    Pictures that match nothing are left out; a warning names them and the table marks them. Alpha is dropped. The projection
    bends the picture, so that its size differs by a few pixels from the scene's. The same pictures give the same result.

    References
    ----------
    M. Brown, D. Lowe, Automatic panoramic image stitching using invariant features, International Journal of Computer Vision 74
    (2007), doi:10.1007/s11263-006-0002-3. OpenCV ``Stitcher``.
    """
    import cv2

    pictures = _pictures(images)
    stitcher = cv2.Stitcher.create(cv2.Stitcher_PANORAMA if mode == "panorama" else cv2.Stitcher_SCANS)
    stitcher.setPanoConfidenceThresh(confidence)
    stitcher.setWaveCorrection(wave_correction and mode == "panorama")
    stitcher.setRegistrationResol(registration_resolution)
    stitcher.setSeamEstimationResol(seam_resolution)
    stitcher.setCompositingResol(compositing_resolution)
    cv2.setRNGSeed(0)
    try:
        status = stitcher.estimateTransform(pictures)
        joined = None
        if status == cv2.Stitcher_OK:
            status, joined = stitcher.composePanorama()
    except cv2.error as problem:
        raise InputError(
            "images", f"cannot be joined ({problem.err})", "Lower the resolutions, or use the mode 'scans'"
        ) from None
    if status != cv2.Stitcher_OK or joined is None:
        reason, way_out = _FAILURES.get(status, ("cannot be joined", "Give overlapping pictures"))
        raise InputError("images", reason, way_out)
    used = [int(i) for i in np.ravel(stitcher.component())]
    _warn_about_unused(used, len(pictures))
    gray = all(np.ndim(image) == 2 for image in images)
    colour = cv2.cvtColor(joined, cv2.COLOR_BGR2RGB)
    return Panorama(colour[..., 1].copy() if gray else colour, _table(used, stitcher.cameras(), len(pictures)))


def _pictures(images: Any) -> list[NDArray[np.uint8]]:
    """Return the pictures as OpenCV wants them: three channels, blue first."""
    if len(images) < 2:
        raise InputError("images", f"holds {len(images)} picture", "Give at least two that overlap")
    pictures = []
    for number, image in enumerate(images):
        if image.dtype != np.uint8:
            raise InputError(f"picture {number}", f"has dtype {image.dtype}", "Rescale its intensities to 8 bits first")
        if image.ndim == 3 and image.shape[-1] not in (3, 4):
            raise InputError(f"picture {number}", f"has {image.shape[-1]} channels", "Give gray or RGB pictures")
        colour = np.repeat(image[..., np.newaxis], 3, axis=2) if image.ndim == 2 else image[..., 2::-1]
        pictures.append(np.ascontiguousarray(colour))
    return pictures


def _warn_about_unused(used: list[int], count: int) -> None:
    unused = [i for i in range(count) if i not in used]
    if unused:
        names = ", ".join(map(str, unused))
        warnings.warn(f"Pictures left out because they match no other (counted from 0): {names}", UserWarning, stacklevel=3)


def _table(used: list[int], cameras: Any, count: int) -> TableValue:
    rows = np.full((count, 13), np.nan)
    for number, camera in zip(used, cameras, strict=False):
        rows[number] = [camera.focal, camera.aspect, camera.ppx, camera.ppy, *np.asarray(camera.R, np.float64).ravel()]
    names = ["focal", "aspect", "centre_x", "centre_y", *[f"r{i}{j}" for i in range(3) for j in range(3)]]
    columns: dict[str, NDArray[Any]] = {"picture": np.arange(count), "used": np.isin(np.arange(count), used)}
    return TableValue(columns | dict(zip(names, rows.T, strict=True)), {"focal": "px", "centre_x": "px", "centre_y": "px"})
