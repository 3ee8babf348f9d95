"""Load the weights of a model: safetensors only, checksum first, every tensor as the card says."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.download import sha256_of
from napari_lightbox.errors import ReadError
from napari_lightbox.models.cache import find_model
from napari_lightbox.models.device import choose_device, memory_format, need_torch
from napari_lightbox.models.predict import Predictor

if TYPE_CHECKING:
    from napari_lightbox.models.card import ModelCard, ModelFile

_KEPT = 3
_loaded: OrderedDict[tuple[str, str, str], Predictor] = OrderedDict()
_lock = threading.Lock()


def load_predictor(model: str | Path, device: str | None = None) -> tuple[Predictor, ModelCard]:
    """Return what predicts with a model, and the model's card.

    The last few are kept, so that every block of a lazy run finds its network at hand.

    Raises
    ------
    ReadError
        A file is missing, was changed, or holds other weights than the card says.
    """
    folder, card = find_model(model)
    where = choose_device(device)
    key = (str(folder), card.files[0].sha256, where)
    with _lock:
        if key not in _loaded:
            network = _build(folder, card).to(where)
            _loaded[key] = Predictor(network, card.architecture, card.activation, where)
            while len(_loaded) > _KEPT:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key], card


def check_files(folder: Path, card: ModelCard) -> Path:
    """Return the path of the weights after checking every file of a model.

    Raises
    ------
    ReadError
        A file is missing or was changed; the message says where the model comes from.
    """
    for file in card.files:
        path = folder / file.name
        if not path.is_file():
            raise ReadError(str(path), f"is missing; the model {card.name!r} needs it", _way_out(card, file))
        if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            raise ReadError(str(path), f"is not the file that the card of {card.name!r} describes", _way_out(card, file))
    return folder / card.files[0].name


def _build(folder: Path, card: ModelCard) -> Any:
    torch = need_torch()
    if card.files[0].size < 2 * card.architecture.parameter_count:
        raise ReadError(
            str(folder / card.files[0].name), "is too small for the network of its card", _way_out(card, card.files[0])
        )
    path = check_files(folder, card)
    weights = _read_tensors(path, card)
    with torch.random.fork_rng(devices=[]):
        network = card.architecture.build()
    try:
        network.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ReadError(str(path), f"does not fit the network of its card ({first})", _way_out(card, card.files[0])) from error
    if not all(bool(torch.isfinite(v).all()) for v in weights.values()):
        raise ReadError(str(path), "holds weights that are not numbers", _way_out(card, card.files[0]))
    network.eval().requires_grad_(False)
    return network.to(memory_format=memory_format(card.architecture.ndim))


def _read_tensors(path: Path, card: ModelCard) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Any] = load_file(str(path), device="cpu")
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ReadError(
            str(path),
            f"is not a safetensors file ({error}); other formats may run code and are not read",
            _way_out(card, card.files[0]),
        ) from error
    return tensors


def _way_out(card: ModelCard, file: ModelFile) -> str:
    where = f" from {card.origin}" if card.origin else ""
    if file.url:
        return f"Download it{where}: {file.url}"
    return f"Put {file.name} ({file.size} bytes){where} beside the card, or train the model again"
