"""The cluster that `lightbox batch --scheduler` names: one that runs already, or processes on this machine."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lightbox.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    from napari_lightbox.server.cluster import Cluster

_LOCAL = re.compile(r"local(?::(\d{1,4}))?")


def check_scheduler(where: str) -> int | None:
    """Return the number of processes in ``local:4``; None for ``local`` and for the address of a scheduler.

    Raises
    ------
    ParameterError
        It is neither.
    """
    match = _LOCAL.fullmatch(where)
    if match is None and not where.startswith(("tcp://", "tls://")):
        raise ParameterError("--scheduler", f"{where!r} is none", "Write tcp://host:8786, tls://host:8786, local or local:4")
    workers = int(match[1]) if match is not None and match[1] else None
    if workers == 0:
        raise ParameterError("--scheduler", "has no processes", "Write local, or a number such as local:4")
    return workers


@contextmanager
def cluster_at(where: str) -> Iterator[Cluster]:
    """Yield a cluster; processes of our own end with the block.

    Raises
    ------
    MissingDependencyError
        What a cluster needs is not installed.
    LightboxError
        The scheduler does not answer, or has another version.
    """
    workers = check_scheduler(where)
    try:
        from napari_lightbox.server.cluster import start_cluster
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "--scheduler", f"needs {missing.name}", "Run: pip install 'napari-lightbox[server]'"
        ) from None
    from napari_lightbox.server.config import ServerConfig

    address = where if "://" in where else None
    with tempfile.TemporaryDirectory(prefix="lightbox-batch-", ignore_cleanup_errors=True) as folder:
        # nobody listens, so nobody will ever show this token
        tokens = {"batch": secrets.token_urlsafe(32)}
        with start_cluster(ServerConfig(Path(folder), tokens, workers=workers, threads=1, scheduler=address)) as cluster:
            yield cluster
