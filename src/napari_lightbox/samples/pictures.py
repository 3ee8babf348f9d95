"""Pictures that ship inside scikit-image and need no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_lightbox.axes import Geometry, Volume, guess_axes
from napari_lightbox.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURES: Mapping[str, tuple[str, str]] = {
    "astronaut": ("Astronaut Eileen Collins", "NASA, public domain"),
    "brick": ("Brick wall", "CC0Textures, CC0"),
    "camera": ("Photographer with a camera", "Lav Varshney, CC0"),
    "cat": ("Chelsea the cat", "Stefan van der Walt, CC0"),
    "cell": ("Cell in saline, quantitative phase", "Paul Müller, CC0"),
    "checkerboard": ("Checkerboard", "scikit-image, BSD-3-Clause"),
    "clock": ("Motion-blurred clock", "Stefan van der Walt, public domain"),
    "coffee": ("Coffee cup", "Rachel Michetti, CC0"),
    "coins": ("Greek coins from Pompeii", "Brooklyn Museum, no known restrictions"),
    "colorwheel": ("Colour wheel", "scikit-image, BSD-3-Clause"),
    "grass": ("Grass", "DeviantArt linolafett, CC0"),
    "gravel": ("Gravel", "CC0Textures, CC0"),
    "horse": ("Silhouette of a horse", "Andreas Preuss, CC0"),
    "hubble_deep_field": ("Hubble eXtreme Deep Field", "NASA, public domain"),
    "immunohistochemistry": ("Colonic glands, IHC staining", "CMMI, no known restrictions"),
    "lfw_subset": ("100 faces and 100 non-faces", "Labeled Faces in the Wild"),
    "logo": ("scikit-image logo", "scikit-image, BSD-3-Clause"),
    "microaneurysms": ("Detail of a retina with lesions", "Andreas Maier, CC0"),
    "moon": ("Surface of the moon, low contrast", "scikit-image, no known restrictions"),
    "page": ("Scanned page, uneven light", "scikit-image, no known restrictions"),
    "retina": ("Human retina", "Mikael Häggström, CC0"),
    "rocket": ("Rocket launch", "SpaceX, public domain"),
    "shepp_logan_phantom": ("Shepp-Logan phantom", "scikit-image, BSD-3-Clause"),
    "stereo_motorcycle": ("Motorcycle, stereo pair and disparity", "Middlebury 2014 stereo benchmark"),
    "text": ("Text for corner detection", "Wikipedia, public domain"),
}
STACKS: Mapping[str, tuple[str, str, str]] = {
    "multipage_tif": ("multipage.tif", "Multi-page TIFF", "scikit-image, BSD-3-Clause"),
    "no_time_for_that": ("no_time_for_that_tiny.gif", "Short animated GIF", "scikit-image, BSD-3-Clause"),
}
_AXES = {"lfw_subset": "nyx"}
_SPACING = {"cell": (0.107, "um")}
_STEREO_NAMES = ("left", "right", "disparity")


def picture(name: str) -> list[Volume]:
    """Return one of `PICTURES`; the stereo pair comes as three volumes, the horse as a mask."""
    from skimage import data

    loaded = getattr(data, name)()
    if isinstance(loaded, tuple):
        return [_volume(name, array, f"{name} {part}") for array, part in zip(loaded, _STEREO_NAMES, strict=True)]
    return [_volume(name, loaded, name.replace("_", " "))]


def stack(name: str) -> list[Volume]:
    """Return one of `STACKS`, read from the file inside scikit-image.

    Raises
    ------
    ReadError
        This installation of scikit-image comes without its pictures.
    """
    import skimage.data

    from napari_lightbox.io.formats import read

    path = Path(skimage.data.__file__).parent / STACKS[name][0]
    if not path.is_file():
        raise ReadError(path.name, "is not part of this installation of scikit-image", "Install scikit-image from PyPI")
    return [v for v in read(path) if isinstance(v, Volume)]


def _volume(name: str, array: object, title: str) -> Volume:
    import numpy as np

    data = np.asarray(array)
    axes = _AXES.get(name) or guess_axes(data.shape)
    step, unit = _SPACING.get(name, (1.0, "pixel"))
    geometry = Geometry.of(axes, data.shape, step, None, [unit if a in "zyx" else "pixel" for a in axes])
    if data.dtype == bool:
        return Volume(data.astype(np.int32), geometry, role="labels", name=title)
    return Volume(data, geometry, name=title)
