"""What a training may be told: the single source for Python, the command line and the dock."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

from napari_lightbox.contract import Documentation, Parameter, Range, Unit
from napari_lightbox.contract.docs import read_docstring
from napari_lightbox.contract.parameters import read_parameter
from napari_lightbox.errors import ParameterError
from napari_lightbox.models.nets.unet_plan import LEVELS


@dataclass(frozen=True)
class TrainSettings:
    """How to train; the defaults suit a first try on a laptop.

    Parameters
    ----------
    ndim
        2 learns planes, each z and t by itself; 3 learns volumes.
    merge
        Take all ids but the background as one class, for labels that number objects.
    ignore
        Label id of pixels that say nothing: 0 for sparse strokes. None when every pixel is labelled.
    background
        Label id that is written as 0. None takes 0 itself where that is no ignored id.
    minutes
        Time at most. None sets no limit.
    epochs
        Rounds at most; the best state is kept in any case.
    patience
        Rounds without improvement after which it stops.
    levels
        Resolutions of the network: more see further around, and need more memory.
    width
        Filters of the finest level; they double from level to level.
    dropout
        Share of features dropped on the two deepest levels while learning.
    loss
        ce: cross-entropy; weighted: with rare classes counting more; dice: overlap; bce: each class against the rest.
    learning_rate
        Step of Adam; halved whenever the validation stands still.
    batch
        Patches per step. None takes 4 planes or 2 volumes.
    patch
        Size of a patch per axis. None takes 128, or 48 in volumes.
    steps
        Steps per round. None goes about once through the data.
    validation
        Share of the data that is held out to tell how good the network is.
    flips
        Mirror along all axes at random. Switch it off where left and right differ.
    rotation
        Turn at random by up to so many degrees.
    elastic
        Bend at random by up to so many pixels.
    intensity
        Vary brightness and contrast at random by such a share.
    seed
        Same data, settings and seed give the same network on one machine.
    """

    ndim: Literal[2, 3] = 2
    merge: bool = False
    ignore: Annotated[int | None, Range(0)] = None
    background: Annotated[int | None, Range(0)] = None
    minutes: Annotated[float | None, Range(0.01, 100_000, 1)] = None
    epochs: Annotated[int, Range(1, 100_000)] = 60
    patience: Annotated[int, Range(1, 100_000)] = 15
    levels: Annotated[int, Range(*LEVELS)] = 4
    width: Annotated[int, Range(1, 256)] = 16
    dropout: Annotated[float, Range(0, 0.9, 0.1), Unit("fraction")] = 0.3
    loss: Literal["ce+dice", "ce", "weighted", "dice", "bce"] = "ce+dice"
    learning_rate: Annotated[float, Range(1e-7, 1, 1e-3)] = 2e-3
    batch: Annotated[int | None, Range(1, 1024)] = None
    patch: Annotated[int | None, Range(8, 4096), Unit("px")] = None
    steps: Annotated[int | None, Range(1, 100_000)] = None
    validation: Annotated[float, Range(0.02, 0.8, 0.05), Unit("fraction")] = 0.2
    flips: bool = True
    rotation: Annotated[float, Range(0, 180, 5), Unit("degrees")] = 15.0
    elastic: Annotated[float, Range(0, 50), Unit("px")] = 2.0
    intensity: Annotated[float, Range(0, 1, 0.05), Unit("fraction")] = 0.1
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0

    def __post_init__(self) -> None:
        for name, parameter in train_parameters().items():
            object.__setattr__(self, name, parameter.check(getattr(self, name)))
        if self.ignore is not None and self.ignore == self.background_id:
            raise ParameterError(
                "background",
                f"is label {self.ignore}, which is ignored as not painted",
                "Paint background with a label of its own and name that one",
            )

    @property
    def background_id(self) -> int | None:
        """Label id that becomes 0, if any."""
        if self.background is not None:
            return self.background
        return None if self.ignore == 0 else 0

    @property
    def axes(self) -> str:
        """Axes the network works over."""
        return "zyx"[3 - self.ndim :]

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)


@cache
def train_parameters() -> dict[str, Parameter]:
    """Return all settings by name, with type, range and default."""
    hints = get_type_hints(TrainSettings, include_extras=True)
    return {f.name: read_parameter("unet_train", f.name, hints[f.name], f.default) for f in fields(TrainSettings)}


@cache
def train_documentation() -> Documentation:
    """Return what each setting means."""
    return read_docstring(TrainSettings.__doc__ or "")
