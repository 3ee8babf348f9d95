"""`lightbox train`: a U-Net from images and labels."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume
    from napari_lightbox.contract import Parameter
    from napari_lightbox.models.train.settings import TrainSettings

_STOPPED = 130


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    from napari_lightbox.models.train.settings import train_documentation, train_parameters

    parser = subcommands.add_parser(
        "train",
        help="train a U-Net from images and labels",
        description="Train a U-Net. Give a folder of pairs, or image and labels in turn. Ctrl-C stops and keeps the best state.",
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="a folder with images and labels, or IMAGE LABELS IMAGE LABELS ..."
    )
    parser.add_argument(
        "-o", "--output", metavar="MODEL", type=Path, help="folder of the model; by default one in the cache folder"
    )
    parser.add_argument("--name", default="unet", help="name of the model")
    parser.add_argument("--axes", metavar="AXES", help="what the dimensions of the images are, such as zyx")
    group = parser.add_argument_group("how to train")
    for name, parameter in train_parameters().items():
        _add_option(group, parameter, train_documentation().parameters[name])
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train and say how good the model is."""
    from napari_lightbox.models.train.unet import train_unet

    options = _options(arguments)
    pairs = _pairs(arguments.inputs, arguments.axes)
    print(f"{len(pairs)} image{'s' if len(pairs) > 1 else ''} with labels", file=sys.stderr)
    with _interruptible() as stopped:
        trained = train_unet(pairs, options, name=arguments.name, folder=arguments.output, report=_Epochs(), cancelled=stopped)
    history = trained.card.history
    for name, dice in history["dice_per_class"].items():
        print(f"{name}: Dice {dice:.3f}" if dice is not None else f"{name}: not in the validation")
    print(f"{'stopped early; ' if trained.cancelled else ''}validated on {history['validated_on']}", file=sys.stderr)
    print(f"model: {trained.folder}")
    print(f"use it: lightbox apply unet_segmentation IMAGE {trained.folder} -o LABELS", file=sys.stderr)
    return _STOPPED if trained.cancelled else 0


class _Epochs:
    """Prints one line per epoch."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, progress: Any) -> None:
        if len(progress.dice) > self._shown:
            self._shown = len(progress.dice)
            best = " *" if progress.best == self._shown - 1 else ""
            found = f"loss {progress.loss[-1]:.4f}, validation Dice {progress.dice[-1]:.4f}{best} ({progress.seconds:.0f} s)"
            print(f"epoch {self._shown:3d} of {progress.epochs}: {found}", file=sys.stderr, flush=True)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed; a second Ctrl-C stops at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_: Any) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _pairs(inputs: list[str], axes: str | None) -> list[tuple[Volume, Volume]]:
    from napari_lightbox.cli.inputs import read_volume
    from napari_lightbox.errors import InputError
    from napari_lightbox.models.train.folder import find_pairs

    if len(inputs) == 1:
        paths = [(str(image), str(labels)) for image, labels in find_pairs(Path(inputs[0]))]
    elif len(inputs) % 2:
        raise InputError(
            "train", f"takes image and labels in turn; {len(inputs)} files were given", "Name labels for every image"
        )
    else:
        paths = list(zip(inputs[::2], inputs[1::2], strict=True))
    return [
        (read_volume(image, axes=axes), read_volume(labels, labels=True, axes=axes and axes.replace("c", "")))
        for image, labels in paths
    ]


def _options(arguments: argparse.Namespace) -> TrainSettings:
    from napari_lightbox.models.train.settings import TrainSettings, train_parameters

    return TrainSettings(**{name: getattr(arguments, name) for name in train_parameters()})


def _add_option(group: Any, parameter: Parameter, meaning: str) -> None:
    name = f"--{parameter.name.replace('_', '-')}"
    words = f"{meaning} (default: {parameter.default})".replace("%", "%%")
    if parameter.kind == "bool":
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=parameter.default, help=meaning)
        return
    kind: Callable[[str], Any] = {"int": int, "float": float}.get(parameter.kind, type(parameter.default))
    group.add_argument(name, type=kind, default=parameter.default, metavar=_metavar(parameter), help=words)


def _metavar(parameter: Parameter) -> str:
    return "|".join(map(str, parameter.choices)) if parameter.choices else "N"
