"""Settings: memory budget, cache folder, device, scheduler and threads, read once from the environment."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEVICES = ("auto", "cpu", "cuda", "mps")
SCHEDULERS = ("threads", "synchronous")
_SHARE_OF_FREE_MEMORY = 0.25
_SMALLEST_BUDGET = 2**20
_SIZE = re.compile(r"^\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[kmgt]?i?b?)\s*$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True)
class Settings:
    """What a run may use; `override` changes it for the length of a with block.

    Parameters
    ----------
    memory_budget
        Bytes a run may hold at once (``LIGHTBOX_MEMORY_BUDGET``, such as ``2GB``); a quarter of the free memory by default.
    cache_folder
        Folder for downloads and intermediate results (``LIGHTBOX_CACHE``).
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"`` (``LIGHTBOX_DEVICE``).
    scheduler
        ``"threads"``, ``"synchronous"`` or the address of a dask scheduler, ``"tcp://host:8786"`` (``LIGHTBOX_SCHEDULER``).
    threads
        Threads a run may use (``LIGHTBOX_THREADS``); all cores this process may use by default.
    """

    memory_budget: int
    cache_folder: Path
    device: str = "auto"
    scheduler: str = "threads"
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory_budget", _budget(self.memory_budget))
        object.__setattr__(self, "cache_folder", Path(self.cache_folder).expanduser())
        object.__setattr__(self, "threads", _count(self.threads))
        if self.device.partition(":")[0] not in DEVICES:
            raise ParameterError("device", f"{self.device!r} is unknown", f"Choose one of {', '.join(DEVICES)}")
        if self.scheduler not in SCHEDULERS and "://" not in self.scheduler:
            raise ParameterError(
                "scheduler", f"{self.scheduler!r} is unknown", f"Choose one of {', '.join(SCHEDULERS)} or give tcp://host:port"
            )


_ENVIRONMENT = {
    "memory_budget": "LIGHTBOX_MEMORY_BUDGET",
    "cache_folder": "LIGHTBOX_CACHE",
    "device": "LIGHTBOX_DEVICE",
    "scheduler": "LIGHTBOX_SCHEDULER",
    "threads": "LIGHTBOX_THREADS",
}
_current: list[Settings] = []


def settings() -> Settings:
    """Return the settings in force: the environment's, read at the first call, or those of `override`."""
    if not _current:
        _current.append(read_settings(os.environ))
    return _current[-1]


@contextmanager
def override(**changes: Any) -> Iterator[Settings]:
    """Change settings for the length of a with block, for every thread of the process.

    Raises
    ------
    ParameterError
        An unknown name or a bad value.
    """
    known = [f.name for f in fields(Settings)]
    for name in changes:
        if name not in known:
            raise ParameterError(name, "is not a setting", f"Choose from: {', '.join(known)}")
    changed = replace(settings(), **changes)
    _current.append(changed)
    try:
        yield changed
    finally:
        _current.remove(changed)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Build the settings from environment variables, with defaults for those that are missing or empty.

    Raises
    ------
    ParameterError
        A variable has a bad value; the message names the setting.
    """
    given = {name: environment[variable] for name, variable in _ENVIRONMENT.items() if environment.get(variable)}
    defaults = {"memory_budget": _default_budget, "cache_folder": _default_folder, "threads": _default_threads}
    values: dict[str, Any] = given | {name: default() for name, default in defaults.items() if name not in given}
    return Settings(**values)


def parse_size(text: str) -> int:
    """Return bytes for a text such as ``"2GB"``, ``"512 MiB"`` or ``"1000000000"``.

    ``kB MB GB TB`` are powers of 1000, ``KiB MiB GiB TiB`` powers of 1024.

    Raises
    ------
    ParameterError
        The text is not a size.
    """
    match = _SIZE.match(text)
    if match is None:
        raise ParameterError("size", f"{text!r} is not a number of bytes", "Write it like 2GB or 512MiB")
    unit = match["unit"].lower()
    base = 1024 if "i" in unit else 1000
    return int(float(match["number"]) * base ** _POWERS[unit.strip("ib")])


def _budget(value: Any) -> int:
    try:
        size = parse_size(value) if isinstance(value, str) else int(value)
    except (ParameterError, TypeError, ValueError) as error:
        raise ParameterError("memory_budget", f"{value!r} is not a number of bytes", "Write it like 2GB or 512MiB") from error
    if size < _SMALLEST_BUDGET:
        raise ParameterError("memory_budget", f"{size} bytes is too small to work with", "Give at least 1MiB")
    return size


def _count(value: Any) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError) as error:
        raise ParameterError("threads", f"{value!r} is not a whole number", "Give a number such as 4") from error
    if count < 1:
        raise ParameterError("threads", f"{count} is not enough", "Give a number of at least 1")
    return count


def _default_budget() -> int:
    import psutil

    free = min(psutil.virtual_memory().available, _container_memory())
    return max(_SMALLEST_BUDGET, int(free * _SHARE_OF_FREE_MEMORY))


def _container_memory(folder: Path = Path("/sys/fs/cgroup")) -> float:
    """Return what is left of a Linux container's own memory limit, infinite without one."""
    try:
        return int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return float("inf")


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("napari-lightbox", appauthor=False)


def _default_threads() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
