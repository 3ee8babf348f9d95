"""torch and the device to compute on."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from napari_lightbox.errors import MissingDependencyError, ParameterError
from napari_lightbox.settings import settings


def need_torch() -> Any:
    """Return torch.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    _load_library()
    try:
        import safetensors  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "PyTorch", f"is not installed or does not load ({error})", "Install it with: pip install 'napari-lightbox[deep]'"
        ) from error
    return torch


def _load_library() -> None:
    """Load torch's library, once and in good manners, without holding Python's lock for the half second it takes.

    Imports and `ctypes.CDLL` hold the lock while they load a library; a call of the system's own ``dlopen`` does not.
    """
    if "torch" in sys.modules:
        return
    # threads that wait in a loop are up to fifty times slower as soon as anything else runs: other chunks, the window
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    found = None if sys.platform == "win32" else find_spec("torch")
    if found is None or found.origin is None:
        return
    opened = ctypes.CDLL(None).dlopen
    opened.argtypes, opened.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for path in (Path(found.origin).parent / "lib").glob("libtorch_python.*"):
        opened(os.fsencode(path), os.RTLD_NOW)


def choose_device(wanted: str | None = None) -> str:
    """Return the device to compute on; ``"auto"`` takes a GPU when there is one.

    Raises
    ------
    ParameterError
        The device asked for is not there.
    """
    torch = need_torch()
    wanted = wanted or settings().device
    kind, _, number = wanted.partition(":")
    there = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind == "auto":
        return next((name for name, count in there.items() if count), "cpu")
    if kind == "cpu":
        return "cpu"
    if not (number or "0").isdigit() or int(number or 0) >= there.get(kind, 0):
        raise ParameterError(
            "device", f"{wanted!r} is not there: torch sees {there['cuda']} CUDA GPUs", "Set LIGHTBOX_DEVICE to auto or cpu"
        )
    return wanted


def memory_format(ndim: int) -> Any:
    """Return the order of features in memory in which convolutions are fastest."""
    torch = need_torch()
    return torch.channels_last if ndim == 2 else torch.channels_last_3d
