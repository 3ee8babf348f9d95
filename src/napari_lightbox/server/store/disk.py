"""How much may be stored: bytes that stay free on the disk, and bytes that each user may fill."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_lightbox.errors import QuotaError, SpaceError


class Disk:
    """Keeps count of what users store.

    Parameters
    ----------
    folder
        A folder on the disk that fills up.
    least_free
        Bytes that stay free whatever happens.
    quota
        Bytes that one user may fill; None sets no bound.
    """

    def __init__(self, folder: Path, least_free: int = 0, quota: int | None = None) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.least_free = least_free
        self.quota = quota
        self._used: Counter[str] = Counter()
        self._coming: Counter[str | None] = Counter()
        self._lock = threading.Lock()

    def check(self, owner: str | None, nbytes: int) -> None:
        """Go on when so many bytes more may be stored.

        Raises
        ------
        SpaceError
            Too little would stay free on the disk.
        QuotaError
            The user would fill more than one may.
        """
        with self._lock:
            self._check(owner, nbytes)

    @contextmanager
    def room(self, owner: str | None, nbytes: int) -> Iterator[None]:
        """Hold room for bytes that are on their way, so that many at once cannot pass the bounds together.

        Raises
        ------
        SpaceError, QuotaError
            As `check`.
        """
        with self._lock:
            self._check(owner, nbytes)
            self._coming[owner] += nbytes
        try:
            yield
        finally:
            with self._lock:
                self._coming[owner] -= nbytes

    def add(self, owner: str, nbytes: int) -> None:
        """Count bytes that a user stored; below zero for bytes that were given back."""
        with self._lock:
            self._used[owner] = max(0, self._used[owner] + nbytes)

    def used(self, owner: str) -> int:
        """Return the bytes that a user has stored."""
        with self._lock:
            return self._used[owner]

    def describe(self) -> dict[str, Any]:
        """Return what there is, for whoever looks after the server."""
        usage = shutil.disk_usage(self.folder)
        with self._lock:
            used = {owner: n for owner, n in self._used.items() if n}
        return {"total": usage.total, "free": usage.free, "least_free": self.least_free, "quota": self.quota, "used": used}

    def _check(self, owner: str | None, nbytes: int) -> None:
        check_free(self.folder, nbytes + self._coming.total(), self.least_free)
        if owner is None or self.quota is None:
            return
        used = self._used[owner] + self._coming[owner]
        if used + nbytes > self.quota:
            raise QuotaError(
                "storage",
                f"of {owner} holds {used} of {self.quota} bytes, {nbytes} more do not fit",
                "Delete jobs that are no longer needed, or wait until their leases are over",
            )


def check_free(folder: Path, nbytes: int, least_free: int) -> None:
    """Go on when the disk below a folder has room for so many bytes.

    Raises
    ------
    SpaceError
        It has not.
    """
    free = shutil.disk_usage(folder).free
    if free - nbytes < least_free:
        raise SpaceError(
            "disk",
            f"of the server has {free} bytes left and keeps {least_free} of them free, {nbytes} more do not fit",
            "Delete jobs that are no longer needed, or ask the operator for space",
        )
