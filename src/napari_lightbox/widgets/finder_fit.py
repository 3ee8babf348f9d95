"""What fits the selected layer, read from the contract alone: nothing is run, no Qt, no napari."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Literal

from napari_lightbox.axes.order import CHANNEL, TIME, is_rgb, spatial_axes
from napari_lightbox.contract import GlobalThenPointwise, Technique
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.errors import LightboxError

State = Literal["fits", "needs", "unfit"]

_LAYER = {
    "image": "an Image layer",
    "labels": "a Labels layer",
    "image_or_labels": "an Image or Labels layer",
    "seeds": "seeds (Labels or Points)",
    "mask": "a mask (Labels or Shapes)",
    "points": "a Points layer",
    "shapes": "a Shapes layer",
    "tracks": "a Tracks layer",
    "vectors": "a Vectors layer",
    "surface": "a Surface layer",
    "table": "a layer with measurements",
    "transform": "a transform from an alignment",
}
ROLES = tuple(_LAYER)
_SPACE = {1: "a line (1D)", 2: "a plane (2D)", 3: "a volume (3D)"}
_LEARNED = "learned"


@dataclass(frozen=True)
class Offer:
    """What one layer has to offer.

    Parameters
    ----------
    roles
        Names of the roles the layer can serve as.
    axes, shape
        Axes and lengths of its pixels, empty for a layer without pixels.
    """

    roles: frozenset[str]
    axes: str = ""
    shape: tuple[int, ...] = ()

    @property
    def lengths(self) -> dict[str, int]:
        """Length by axis."""
        return dict(zip(self.axes, self.shape, strict=True))


@dataclass(frozen=True)
class Fit:
    """Whether a technique fits (`fits`), fits once something is added (`needs`) or does not (`unfit`), and why not."""

    state: State
    reason: str = ""


FITS = Fit("fits")


def fit(technique: Technique, offer: Offer | None, others: Sequence[Offer] = ()) -> Fit:
    """Tell whether a technique can run on the layer behind `offer` with its default parameters.

    Parameters
    ----------
    technique
        The technique.
    offer
        The layer that would be the first input; None when no layer is selected, which everything fits.
    others
        The other layers, from which further inputs could be taken.
    """
    if technique.family.startswith(_LEARNED) and not _has_torch():
        return Fit("unfit", "needs torch: pip install 'napari-lightbox[deep]'")
    if offer is None or not technique.inputs:
        return FITS
    first = technique.inputs[0]
    if first.role.name not in offer.roles:
        return Fit("unfit", f"works on {_LAYER.get(first.role.name, first.role.name)}")
    if not first.is_array:
        return _rest(technique, offer, "", others)
    if first.role.many:
        several = any(first.role.name in other.roles for other in others)
        return FITS if several else Fit("needs", "also needs a second image")
    if needs_colour(technique) and offer.lengths.get(CHANNEL) not in (3, 4):
        return Fit("unfit", "needs a colour picture (RGB)")
    over = _kernel_axes(technique, offer.axes)
    if isinstance(over, Fit):
        return over
    if technique.check is not None:
        try:
            technique.check(technique.complete({}), len(over))
        except LightboxError as error:
            return Fit("needs", f"needs another setting: {error.subject} {error.reason}")
    return _rest(technique, offer, over, others)


def _kernel_axes(technique: Technique, axes: str) -> str | Fit:
    """Return the axes the kernel would work over, or why there are none."""
    if isinstance(technique.locality, SequenceLocality) and TIME not in axes:
        return Fit("unfit", "needs a video: a layer with a time axis t")
    over = technique.over or spatial_axes(axes)
    missing = [a for a in over if a not in axes]
    if missing:
        return Fit("unfit", f"needs an axis {', '.join(missing)}; this layer has {', '.join(axes)}")
    plane = isinstance(technique.locality, GlobalThenPointwise) and technique.complete({}).get("scope") == "plane"
    if technique.over is None and len(over) == 3 and 2 in technique.spatial and (plane or 3 not in technique.spatial):
        over = "yx"
    if len(over) not in technique.spatial:
        wanted = " or ".join(_SPACE[n] for n in sorted(technique.spatial))
        return Fit("unfit", f"needs {wanted}; this layer is {_SPACE.get(len(over), 'neither')}")
    return over


def _rest(technique: Technique, offer: Offer, over: str, others: Iterable[Offer]) -> Fit:
    """Return whether the further inputs that are not optional can be found among the other layers."""
    others = list(others)
    for spec in technique.inputs[1:]:
        if spec.optional:
            continue
        if spec.role.name == "model":
            return Fit("needs", "needs a trained model (a file)")
        able = [other for other in others if spec.role.name in other.roles]
        name = _LAYER.get(spec.role.name, spec.role.name)
        if not able:
            return Fit("needs", f"also needs {name}")
        colour = _takes_colour(technique, offer) and spec.role.name in LABEL_ROLES
        if spec.is_array and spec.role.aligned and not any(_same_grid(other, offer, over, colour) for other in able):
            return Fit("needs", f"also needs {name} of the same size")
    return FITS


def _same_grid(other: Offer, first: Offer, over: str, colour: bool) -> bool:
    """Tell whether a layer covers the first one's pixels along the kernel's axes.

    Points and shapes are drawn onto the grid; where all channels go together (`colour`), labels have none.
    """
    if not other.axes:
        return True
    if colour and CHANNEL in other.axes:
        return False
    mine = first.lengths
    shared = all(mine.get(axis) == length for axis, length in other.lengths.items())
    return shared and all(axis in other.axes for axis in over)


def _takes_colour(technique: Technique, offer: Offer) -> bool:
    rgb = technique.channels == "luminance" and is_rgb(offer.axes, offer.shape)
    return CHANNEL in offer.axes and (technique.channels == "rgb" or rgb)


def needs_colour(technique: Technique) -> bool:
    """Tell whether a technique turns colour into something else, which a gray image does not have."""
    main = technique.outputs[0]
    return technique.channels == "rgb" and main.role.name == "image" and main.channels is not None


@cache
def _has_torch() -> bool:
    return find_spec("torch") is not None
