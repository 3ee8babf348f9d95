"""The card of a model: what it does, how it is built, which files it needs, where it comes from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.download import is_safe
from napari_lightbox.errors import LightboxError, ReadError

if TYPE_CHECKING:
    from napari_lightbox.models.nets.unet_plan import UNetPlan

FORMAT = 1
FILE_NAME = "card.json"
_LARGEST = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_AXES = ("yx", "zyx")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: its name beside the card, checksum, size, and where it can be had, if anywhere."""

    name: str
    sha256: str
    size: int
    url: str | None = None


@dataclass(frozen=True)
class ModelClass:
    """One class: the label id it is written with and its name."""

    id: int
    name: str


@dataclass(frozen=True)
class Normalisation:
    """Constants that bring grey values to the range the network learned: (value - mean) / deviation per channel.

    They belong to the model. Estimates from a tile would make tiles differ from the whole.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class ModelCard:
    """Everything about a model but its weights.

    Parameters
    ----------
    name, task
        Name shown to people, and what the model does, such as ``"semantic segmentation"``.
    architecture
        Plan of the network (see `napari_lightbox.models.nets`).
    classes
        Class by class in the order of the network's outputs.
    axes, spacing, units
        Axes the network works over, and the distance between samples it was trained with.
    normalisation
        Grey values to network input.
    files
        Files that belong to the model; the weights first.
    activation
        ``"softmax"`` (one class per pixel) or ``"sigmoid"`` (each class by itself).
    licence, origin, version
        Terms of use, who made the model and from what, and the model's own version.
    history
        How the training went, JSON-ready.
    """

    name: str
    task: str
    architecture: UNetPlan
    classes: tuple[ModelClass, ...]
    axes: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    normalisation: Normalisation
    files: tuple[ModelFile, ...]
    activation: str = "softmax"
    licence: str = ""
    origin: str = ""
    version: str = "1"
    history: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the card as JSON text."""
        data = {"lightbox_model": FORMAT} | {name: getattr(self, name) for name in _TEXTS}
        data |= {
            "axes": self.axes,
            "spacing": list(self.spacing),
            "units": list(self.units),
            "activation": self.activation,
            "classes": [asdict(c) for c in self.classes],
            "architecture": self.architecture.to_json(),
            "normalisation": {"mean": list(self.normalisation.mean), "deviation": list(self.normalisation.deviation)},
            "files": [asdict(f) for f in self.files],
            "history": dict(self.history),
        }
        return json.dumps(data, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, subject: str = "model card") -> ModelCard:
        """Read a card; nothing it says is trusted before it has been checked.

        Raises
        ------
        ReadError
            Not a card, from a newer version, or with entries that contradict each other.
        """
        data = _parsed(text, subject)
        try:
            card = _card(data)
            _check(card)
        except LightboxError as error:
            raise ReadError(subject, f"is malformed: {error.subject} {error.reason}", _AGAIN) from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ReadError(subject, f"is malformed ({type(error).__name__}: {error})", _AGAIN) from error
        return card


_AGAIN = "Get the model again from where it came from, or train it again"
_TEXTS = ("name", "task", "licence", "origin", "version")


def read_card(path: Path) -> ModelCard:
    """Return the card in a file.

    Raises
    ------
    ReadError
        No such file, too large, or not a card.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ReadError(str(path), f"is larger than {_LARGEST} bytes, which no model card is", _AGAIN)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Give the folder of a model, with a card.json in it") from error
    return ModelCard.from_json(text, str(path))


def _parsed(text: str, subject: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ReadError(subject, f"is not JSON ({error})", _AGAIN) from error
    if not isinstance(data, dict) or "lightbox_model" not in data:
        raise ReadError(subject, 'has no "lightbox_model" entry', "Give the card of a model made by napari-lightbox")
    if data["lightbox_model"] != FORMAT:
        raise ReadError(subject, f"has format {data['lightbox_model']!r}, this version reads {FORMAT}", "Update napari-lightbox")
    return data


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")


def _card(data: Mapping[str, Any]) -> ModelCard:
    from napari_lightbox.models.nets.unet_plan import UNetPlan

    architecture = data["architecture"]
    if architecture["name"] != "unet":
        raise ReadError("architecture", f"{architecture['name']!r} is not known to this version", "Update napari-lightbox")
    return ModelCard(
        **{name: _text(data[name]) for name in _TEXTS},
        architecture=UNetPlan.from_json(architecture),
        classes=tuple(ModelClass(_integer(c["id"]), _text(c["name"])) for c in data["classes"]),
        axes=_text(data["axes"]),
        spacing=_numbers(data["spacing"]),
        units=tuple(map(_text, data["units"])),
        normalisation=Normalisation(_numbers(data["normalisation"]["mean"]), _numbers(data["normalisation"]["deviation"])),
        files=tuple(_file(f) for f in data["files"]),
        activation=_text(data["activation"]),
        history=dict(data.get("history", {})),
    )


def _file(data: Mapping[str, Any]) -> ModelFile:
    url = data.get("url")
    return ModelFile(_text(data["name"]), _text(data["sha256"]), _integer(data["size"]), None if url is None else _text(url))


def _check(card: ModelCard) -> None:
    plan = card.architecture
    ids = [c.id for c in card.classes]
    channels = (len(card.normalisation.mean), len(card.normalisation.deviation))
    complaints = [
        (card.axes in _AXES and len(card.axes) == plan.ndim, f"axes {card.axes!r} for a network of {plan.ndim} axes"),
        (len(card.spacing) == len(card.units) == plan.ndim, "spacing and units do not fit the axes"),
        (min(card.spacing, default=0) > 0, f"spacing {card.spacing}"),
        (len(ids) == plan.classes, f"{len(ids)} classes for {plan.classes} outputs"),
        (len(set(ids)) == len(ids) and all(0 <= i < 2**31 for i in ids), f"class ids {ids}"),
        (channels == (plan.channels, plan.channels), f"normalisation of {channels[0]} channels for {plan.channels}"),
        (min(card.normalisation.deviation, default=0) > 0, "a deviation that is not above zero"),
        (card.activation in ("softmax", "sigmoid"), f"activation {card.activation!r}"),
        (bool(card.files), "no files"),
        (all(_PLAIN_NAME.fullmatch(f.name) and f.name != FILE_NAME for f in card.files), "a file name that leads elsewhere"),
        (all(_SHA256.fullmatch(f.sha256) and f.size >= 0 for f in card.files), "a checksum or size that is none"),
        (all(f.url is None or is_safe(f.url) for f in card.files), "an address that is not https"),
    ]
    for fine, complaint in complaints:
        if not fine:
            raise ValueError(complaint)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise TypeError("a text is missing or too long")
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    numbers = tuple(float(v) for v in values)
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number is not finite")
    return numbers
