"""Train a U-Net from images and labels, and save it as a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_lightbox.errors import CancelledError
from napari_lightbox.models.cache import free_name, models_folder, save_model
from napari_lightbox.models.card import ModelCard
from napari_lightbox.models.device import choose_device, need_torch
from napari_lightbox.models.nets.unet_plan import UNetPlan
from napari_lightbox.models.train.samples import Dataset, Pair, make_dataset
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.settings import settings

TASK = "semantic segmentation"


@dataclass(frozen=True)
class Trained:
    """A trained model: its folder and card, and whether somebody stopped the training early."""

    folder: Path
    card: ModelCard
    cancelled: bool

    @property
    def dice(self) -> float:
        """Best validation Dice."""
        return float(max(self.card.history["dice"]))


def train_unet(
    pairs: Sequence[Pair],
    options: TrainSettings | None = None,
    *,
    name: str = "unet",
    folder: Path | None = None,
    report: Callable[[Any], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Trained:
    """Train a U-Net on pairs of image and labels; the best state is on the disk from the moment it is reached.

    Parameters
    ----------
    pairs
        Volumes: an image and the labels drawn on it, several times. Labels may be dense, or sparse strokes with
        ``ignore=0``.
    options
        How to train; see `TrainSettings`.
    name, folder
        Name of the model, and its folder: a new one in the cache folder when not given.
    report
        Called with a `Progress` after every step and every epoch.
    cancelled
        Asked before every step; when it says yes, the best state so far is what you get.
    device, threads
        Where to compute and with how many threads; those of the settings when not given.

    Returns
    -------
    Trained
        Folder, card with the course of the training, and whether it was cancelled.

    Raises
    ------
    InputError
        Labels that are empty, hold one class only, or do not fit their image.
    MissingDependencyError
        PyTorch is not installed.
    CancelledError
        Stopped before the first validation: there is nothing to keep yet.
    """
    options = options or TrainSettings()
    torch = need_torch()
    where = choose_device(device)
    data = make_dataset(pairs, options)
    target = folder if folder is not None else models_folder() / free_name(name)
    plan = UNetPlan.of(
        options.ndim,
        data.channels,
        len(data.classes),
        levels=options.levels,
        width=options.width,
        spacing=data.spacing,
        dropout=options.dropout,
    )
    card = _card(name, plan, data, options, pairs)
    saved: list[ModelCard] = []

    def keep(state: dict[str, Any], course: Any) -> None:
        from safetensors.torch import save_file

        known = replace(card, history=_history(course, data, options))
        saved[:] = [save_model(target, known, lambda path: save_file(state, str(path)))]

    from napari_lightbox.models.train.loop import Trainer

    torch.set_num_threads(threads or settings().threads)
    with torch.random.fork_rng(), torch.backends.cudnn.flags(enabled=True, deterministic=True, benchmark=False):
        torch.manual_seed(options.seed)
        trainer = Trainer(data, plan, options, where, report or _silent, keep, cancelled or _never)
        course = trainer.run()
    if course.state is None:
        raise CancelledError("training", "was stopped before its first validation", "Nothing was kept; start it again")
    keep(course.state, course)
    return Trained(target, saved[0], course.cancelled)


def _silent(progress: Any) -> None:
    del progress


def _never() -> bool:
    return False


def _card(name: str, plan: UNetPlan, data: Dataset, options: TrainSettings, pairs: Sequence[Pair]) -> ModelCard:
    sources = ", ".join(dict.fromkeys(image.name for image, _ in pairs if image.name)) or f"{len(pairs)} images"
    return ModelCard(
        name,
        TASK,
        plan,
        data.classes,
        options.axes,
        data.spacing,
        data.units,
        data.normalisation,
        (),
        "sigmoid" if options.loss == "bce" else "softmax",
        "that of the training data",
        f"trained with napari-lightbox on {sources}",
    )


def _history(course: Any, data: Dataset, options: TrainSettings) -> dict[str, Any]:
    return {
        "dice": [round(d, 6) for d in course.dice],
        "loss": [round(v, 6) if v == v else None for v in course.loss],
        "best_epoch": course.best,
        "dice_per_class": {
            c.name: None if d != d else round(float(d), 6) for c, d in zip(data.classes, course.per_class, strict=True)
        },
        "validated_on": data.held_out,
        "seconds": round(course.seconds, 1),
        "cancelled": course.cancelled,
        "settings": options.to_json(),
    }
