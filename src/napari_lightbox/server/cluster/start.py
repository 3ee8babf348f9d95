"""Start workers on this machine, or join a cluster that runs already."""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack, suppress
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

import dask
import psutil
from distributed import Client, LocalCluster
from distributed.deploy.utils import nprocesses_nthreads
from distributed.system import memory_limit

from napari_lightbox import __version__
from napari_lightbox.errors import LightboxError, ParameterError, ServerError
from napari_lightbox.server.cluster.on_scheduler import be_patient
from napari_lightbox.server.cluster.plugin import LightboxPlugin
from napari_lightbox.server.cluster.scheduler import DistributedScheduler
from napari_lightbox.server.cluster.state import ThreadCount, WorkerState, workers_of
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.settings import settings

# workers that a task may take with it before it is given up; one that needs too much memory takes them all
MOST_LOSSES = 12
MEMORY_SHARE = 0.75
CONNECTING_SECONDS = 10
CLOSING_SECONDS = 30

_LOOPBACK = "127.0.0.1"
_DASK: dict[str, Any] = {
    # pages about the cluster would need a token of their own
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # a kernel may keep a worker from answering for as long as it takes; a dead process closes its connection
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.no-workers-timeout": "10 minutes",
    "distributed.deploy.lost-worker-timeout": "10 minutes",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.large-graph-warning-threshold": "1 TiB",
}

_log = logging.getLogger(__name__)


class Cluster:
    """Workers and the way to them; closing it ends those that the server started and lets go of all others.

    Parameters
    ----------
    client
        The connection to the scheduler.
    scope
        What to end, in reverse order.

    Attributes
    ----------
    threads
        Returns how many threads all workers have together, as of some seconds ago.
    """

    def __init__(self, client: Client, scope: ExitStack) -> None:
        self.client = client
        self.scheduler = DistributedScheduler(client)
        self.threads = ThreadCount(client)
        self._scope = scope

    def workers(self) -> list[WorkerState]:
        """Return what the workers are doing."""
        return workers_of(self.client)

    def close(self) -> None:
        """Stop what is running and end everything."""
        self._scope.close()

    def __enter__(self) -> Self:
        """Return the cluster."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def start_cluster(config: ServerConfig) -> Cluster:
    """Start the workers of a server, or join those of its scheduler.

    Workers of our own are processes that only this machine can reach and that come back when they are killed.

    Raises
    ------
    ServerError
        The scheduler cannot be reached, or lacks napari-lightbox.
    VersionError
        It has another napari-lightbox.
    """
    with ExitStack() as scope:
        scope.enter_context(dask.config.set(_DASK))
        client = _own(config, scope) if config.scheduler is None else _joined(config.scheduler, scope)
        return Cluster(client, scope.pop_all())


def _own(config: ServerConfig, scope: ExitStack) -> Client:
    workers, threads = _shape(config)
    scratch = config.folder / "workers"
    scope.callback(shutil.rmtree, scratch, ignore_errors=True)
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        memory_limit=config.memory or int(memory_limit() * MEMORY_SHARE / workers),
        host=_LOOPBACK,
        protocol="tcp://",
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": f"{_LOOPBACK}:0", "allowed_failures": MOST_LOSSES},
        local_directory=str(scratch),
    )
    scope.callback(_end, cluster)
    client = Client(cluster, set_as_default=False, direct_to_workers=True)
    scope.callback(_let_go, client)
    here = settings()
    client.register_plugin(LightboxPlugin({"cache_folder": here.cache_folder, "device": here.device}, own=True))
    return client


def _shape(config: ServerConfig) -> tuple[int, int]:
    """Return the number of workers and the threads of each, so that together they use what a run may use."""
    processors = settings().threads
    if config.workers is None and config.threads is None:
        workers, threads = nprocesses_nthreads(processors)
        return int(workers), int(threads)
    workers = config.workers or max(1, processors // (config.threads or 1))
    return workers, config.threads or max(1, processors // workers)


def _let_go(client: Client) -> None:
    # all clients of a process share a loop, which may have ended with another one
    if not client.loop.asyncio_loop.is_closed():
        client.close()


def _end(cluster: LocalCluster) -> None:
    processes = [process for nanny in cluster.workers.values() if (process := _process(nanny.pid)) is not None]
    try:
        if not cluster.loop.asyncio_loop.is_closed():
            cluster.close(timeout=CLOSING_SECONDS)
    except TimeoutError:
        _log.warning("the workers do not end by themselves and are killed")
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _process(pid: int | None) -> psutil.Process | None:
    try:
        return None if pid is None else psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _joined(address: str, scope: ExitStack) -> Client:
    _check_address(address)
    try:
        client = Client(address, set_as_default=False, timeout=CONNECTING_SECONDS)
    except (OSError, ImportError) as error:
        raise ServerError("scheduler", f"at {address} does not answer", "Check the address, and whether it runs") from error
    scope.callback(_let_go, client)
    try:
        client.run_on_scheduler(be_patient, MOST_LOSSES, __version__)
        client.register_plugin(LightboxPlugin())
    except LightboxError:
        raise
    except Exception as error:
        raise ServerError(
            "scheduler",
            f"at {address} or one of its workers cannot load napari-lightbox ({type(error).__name__})",
            "Install napari-lightbox[server] of the same version wherever they run",
        ) from error
    return client


def _check_address(address: str) -> None:
    parts: Any = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname:
        raise ParameterError("scheduler", f"{address!r} is no address of a dask scheduler", "Write it like tls://host:8786")
    if parts.scheme == "tcp" and not _is_loopback(parts.hostname):
        _log.warning("%s is not encrypted: whoever reaches that network can run programs on the workers; use tls://", address)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
