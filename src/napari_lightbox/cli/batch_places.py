"""Choose where the files of a batch are worked on."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lightbox.cli.batch_cluster import check_scheduler, cluster_at
from napari_lightbox.cli.batch_file import FileTask, run_file
from napari_lightbox.cli.batch_place import Place
from napari_lightbox.cli.batch_threads import Threads, usual_count
from napari_lightbox.cli.batch_work import RecipeWork, Work
from napari_lightbox.cli.server_options import server_of
from napari_lightbox.cli.server_steps import ServerSteps
from napari_lightbox.errors import ConnectionLostError, InputError, ParameterError
from napari_lightbox.settings import settings

if TYPE_CHECKING:
    from napari_lightbox.client.remote_runner import RemoteRunner
    from napari_lightbox.engine.control import Control
    from napari_lightbox.io.batch_report import Entry

_ATTEMPTS = ".lightbox-attempts-"


def check_place(arguments: argparse.Namespace, work: Work) -> None:
    """Refuse what does not go together before anything starts.

    Raises
    ------
    LightboxError
        The message says what.
    """
    if arguments.jobs is not None and arguments.jobs < 1:
        raise ParameterError("-j", f"{arguments.jobs} files at a time are not enough", "Give a number of at least 1")
    if arguments.scheduler is not None:
        check_scheduler(arguments.scheduler)
        if arguments.server is not None:
            raise ParameterError("--scheduler", "and --server are two places", "Leave one of them out")
    if arguments.server is not None and not isinstance(work, RecipeWork):
        raise InputError("--server", "cannot replay a log", "Leave it out: a log is replayed where its images are")


@contextmanager
def place_of(work: Work, output: Path, arguments: argparse.Namespace) -> Iterator[Place]:
    """Yield where the files are worked on.

    Raises
    ------
    LightboxError
        A server or a cluster cannot be reached.
    """
    with ExitStack() as scope:
        if arguments.scheduler is not None:
            cluster = scope.enter_context(cluster_at(arguments.scheduler))
            from napari_lightbox.cli.batch_workers import Workers

            attempts = scope.enter_context(tempfile.TemporaryDirectory(prefix=_ATTEMPTS, dir=output, ignore_cleanup_errors=True))
            yield scope.enter_context(Workers(cluster.client, work, Path(attempts), arguments.jobs))
            return
        server = scope.enter_context(server_of(arguments))
        run_one = partial(run_file, work) if server is None else partial(_on_server, server, work)
        yield scope.enter_context(Threads(run_one, arguments.jobs or usual_count(settings().threads)))


def clear_attempts(output: Path) -> None:
    """Remove what a batch that was killed has left in a folder; nobody else works there now."""
    for folder in output.glob(f"{_ATTEMPTS}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _on_server(server: RemoteRunner, work: Work, task: FileTask, control: Control) -> Entry:
    assert isinstance(work, RecipeWork)
    with ServerSteps(server, work.inner_steps) as steps:
        return run_file(work, task, control, steps, fatal=(ConnectionLostError,))
