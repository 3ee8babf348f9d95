"""Run a server: workers, services and the web server, until somebody says stop."""

from __future__ import annotations

import gc
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from napari_lightbox.server.app import make_app
from napari_lightbox.server.cluster.start import start_cluster
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.server.discreet import Discreet, DiscreetFormatter
from napari_lightbox.server.lock import locked
from napari_lightbox.server.services import open_services
from napari_lightbox.server.web_server import WebServer, listen, url_of

Say = Callable[[str], None]


def serve(config: ServerConfig, *, show_token: bool, say: Say = print) -> None:
    """Serve until SIGINT or SIGTERM; jobs that are not finished then go on when the server starts again.

    Parameters
    ----------
    config
        How the server is set up.
    show_token
        Whether to say the token: once, and only when nobody knows it yet.
    say
        Shows a line to whoever started the server.

    Raises
    ------
    ParameterError
        The address is taken, or another server uses the folder.
    """
    with ExitStack() as scope:
        scope.enter_context(locked(config.folder))
        listening = scope.enter_context(listen(config))
        stop = scope.enter_context(heeding_signals())
        cluster = scope.enter_context(start_cluster(config))
        services = open_services(config, cluster)
        scope.callback(services.close)
        server = WebServer(make_app(services), config)
        stop.append(server.stop)
        for line in welcome(config, url_of(config, listening), show_token=show_token):
            say(line)
        # what was loaded stays: looking through it again and again would stop everybody for a tenth of a second
        gc.freeze()
        server.run(sockets=[listening])
        say("stopped; jobs that are not finished go on when the server starts again")


def welcome(config: ServerConfig, url: str, *, show_token: bool) -> Iterator[str]:
    """Return the lines that tell how to reach the server."""
    from napari_lightbox import __version__

    yield f"napari-lightbox {__version__} serves at {url} (Ctrl-C stops it); its files are in {config.folder}"
    if show_token:
        (token,) = config.tokens.values()
        yield f"token={token}"
        yield f'from Python: import napari_lightbox as lb; server = lb.connect("{url}", token="{token}")'
    else:
        yield f"tokens: those of {', '.join(config.tokens)}, as given"
        yield f'from Python: import napari_lightbox as lb; server = lb.connect("{url}", token="...")'


def log_discreetly(config: ServerConfig) -> None:
    """Send the log of this process to its standard error, without tokens."""
    handler = logging.StreamHandler()
    handler.setFormatter(DiscreetFormatter(Discreet(config.tokens.values())))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


@contextmanager
def heeding_signals() -> Iterator[list[Callable[[], None]]]:
    """Yield a list; SIGINT and SIGTERM call the last function in it, and before there is one they interrupt."""
    stops: list[Callable[[], None]] = []

    def heed(_number: int, _frame: FrameType | None) -> None:
        if not stops:
            raise KeyboardInterrupt
        stops[-1]()

    if threading.current_thread() is not threading.main_thread():
        yield stops
        return
    before = {number: signal.signal(number, heed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
