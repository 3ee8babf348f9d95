"""The folder where models live: list them, find one by name or path, put a new one in."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from napari_lightbox.download import Report, download, sha256_of
from napari_lightbox.errors import ParameterError, ReadError, WriteError
from napari_lightbox.models.card import FILE_NAME, ModelCard, ModelFile, read_card
from napari_lightbox.settings import settings

WEIGHTS = "weights.safetensors"
_TEMPORARY = ".new-"


def models_folder() -> Path:
    """Return the folder that holds the models, one folder each."""
    return settings().cache_folder / "models"


def list_models() -> dict[str, ModelCard]:
    """Return all models with a readable card by the name of their folder; broken ones are left out."""
    found: dict[str, ModelCard] = {}
    folder = models_folder()
    for path in sorted(folder.glob(f"*/{FILE_NAME}")) if folder.is_dir() else ():
        if path.parent.name.startswith("."):
            continue
        try:
            found[path.parent.name] = read_card(path)
        except ReadError:
            continue
    return found


def find_model(model: str | Path) -> tuple[Path, ModelCard]:
    """Return folder and card of a model given by name, by its folder, its card or its weights.

    Raises
    ------
    ParameterError
        Nothing given, or no such model; the message lists those that are there.
    ReadError
        The card cannot be used.
    """
    if not isinstance(model, (str, Path)):
        raise ParameterError("model", f"is a {type(model).__name__}", f"Name a model or its folder. {_known()}")
    text = str(model).strip()
    if not text:
        raise ParameterError("model", "is not given", f"Name a model or its folder. {_known()}")
    for folder in _places(text):
        if (folder / FILE_NAME).is_file():
            folder = folder.resolve()
            return folder, _card_at(folder, (folder / FILE_NAME).stat().st_mtime_ns)
    raise ParameterError("model", f"there is none at {text!r}", _known())


def _places(text: str) -> list[Path]:
    """Return the folders where a model of this name or path may be; none for what no path can be."""
    try:
        given = Path(text).expanduser()
        own = [given] if given.is_dir() else [given.parent] if given.is_file() else []
        return [folder for folder in (*own, models_folder() / text) if folder.is_dir()]
    except (OSError, ValueError, RuntimeError):
        return []


def save_model(folder: Path, card: ModelCard, write_weights: Callable[[Path], None]) -> ModelCard:
    """Write a model and return its card with the checksum filled in; a model that was there stays until the new one is complete.

    Parameters
    ----------
    folder
        Folder of the model; it is made, or replaced if it holds a model already.
    card
        Card whose files are not known yet.
    write_weights
        Writes the weights to the path it is given.

    Raises
    ------
    WriteError
        The folder holds something else, or cannot be written.
    """
    target = folder.expanduser().absolute()
    if target.exists() and not (target.is_dir() and ((target / FILE_NAME).is_file() or not any(target.iterdir()))):
        raise WriteError(str(target), "exists and holds no model", "Choose a new name, or remove it yourself first")
    partial = target.with_name(f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}-{target.name}")
    try:
        partial.mkdir(parents=True)
        write_weights(partial / WEIGHTS)
        (partial / WEIGHTS).chmod(0o644)
        described = ModelFile(WEIGHTS, sha256_of(partial / WEIGHTS), (partial / WEIGHTS).stat().st_size)
        complete = replace(card, files=(described,))
        (partial / FILE_NAME).write_text(complete.to_json(), encoding="utf-8")
        _put(partial, target)
    except OSError as error:
        raise WriteError(str(target), f"cannot be written ({error})", "Free some space or choose another folder") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return complete


def fetch_model(model: str | Path, report: Report | None = None) -> Path:
    """Download the files of a model that are missing or damaged and return its folder.

    Raises
    ------
    ReadError
        A file is missing and the card names no address.
    DownloadError
        A file cannot be fetched, or is not the one the card describes.
    """
    folder, card = find_model(model)
    for file in card.files:
        if file.url is None:
            if not (folder / file.name).is_file():
                raise ReadError(str(folder / file.name), "is missing and its card names no address", f"Get it from {card.origin}")
            continue
        download(file.url, folder / file.name, file.sha256, size=file.size, report=report)
    return folder


def free_name(wanted: str) -> str:
    """Return a name for a new model that no other one has, made of letters that every file system takes."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-._") or "model"
    taken = {p.name for p in models_folder().iterdir()} if models_folder().is_dir() else set()
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


@lru_cache(maxsize=64)
def _card_at(folder: Path, _changed: int) -> ModelCard:
    """Return a card; the time of its last change is part of the key."""
    return read_card(folder / FILE_NAME)


def _put(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    aside = target.with_name(f"{_TEMPORARY}{secrets.token_hex(4)}-old-{target.name}")
    target.rename(aside)
    try:
        partial.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _known() -> str:
    names = ", ".join(list_models())
    if names:
        return f"Choose one of {names}, or give the folder of a model"
    return "Train one first (`lightbox train`, or Train a U-Net in napari), or give the folder of a model"
