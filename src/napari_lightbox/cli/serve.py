"""`lightbox serve`: run techniques for napari, scripts and pages on other machines."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.server.config import Limits, ServerConfig

PORT = 8000
_NEEDED = ("fastapi", "uvicorn", "distributed", "sqlalchemy")
_HOUR = 3600.0


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "serve",
        help="run techniques for other programs and machines",
        description="Run techniques for napari, scripts and the page at its address. It listens on this machine only, unless "
        "told otherwise, and prints the token that clients need.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=int, default=PORT, help=f"port to listen on, 0 for a free one ({PORT})")
    add("--name", metavar="NAME", action="append", default=[], help="further name that clients use for it; repeatable")
    add("--folder", type=Path, help="where images, results and jobs are kept")
    add("--token-file", metavar="FILE", type=Path, help="a name and a token on each line; else LIGHTBOX_TOKEN, else a new one")
    add("--cert", metavar="PEM", type=Path, help="certificate for TLS")
    add("--key", metavar="PEM", type=Path, help="key of the certificate")
    add("--insecure-network", action="store_true", help="listen beyond this machine without TLS")
    add("--root", metavar="DIR", type=Path, action="append", default=[], help="folder that clients may refer to; repeatable")
    add(
        "--allow-host", metavar="HOST", action="append", default=[], help="host of OME-Zarr that clients may refer to; repeatable"
    )
    add("--scheduler", metavar="ADDRESS", help="dask scheduler to join, such as tls://host:8786")
    add("--workers", type=int, metavar="N", help="worker processes")
    add("--threads", type=int, metavar="N", help="threads of each worker")
    add("--memory", metavar="SIZE", help="memory of each worker, such as 8GB")
    add("--quota", metavar="SIZE", help="most that one user may store, such as 100GB")
    add("--least-free", metavar="SIZE", help="what stays free on the disk, such as 5GB")
    add("--lease", metavar="HOURS", type=float, help="how long results are kept after the last look at them")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    check_installed()
    from napari_lightbox.server.serve import log_discreetly, serve

    config, is_new = read_config(arguments)
    log_discreetly(config)
    serve(config, show_token=is_new, say=_say)
    return 0


def check_installed() -> None:
    """Refuse before anything starts.

    Raises
    ------
    MissingDependencyError
        What a server needs is not installed.
    """
    from napari_lightbox.errors import MissingDependencyError

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        reason = f"needs {', '.join(missing)}"
        raise MissingDependencyError("lightbox serve", reason, "Run: pip install 'napari-lightbox[server]'")


def read_config(arguments: argparse.Namespace) -> tuple[ServerConfig, bool]:
    """Return how the server is set up, and whether its token is new.

    Raises
    ------
    LightboxError
        An option has a bad value; the message names it.
    """
    from napari_lightbox.server.auth import choose_tokens
    from napari_lightbox.server.config import ServerConfig
    from napari_lightbox.settings import parse_size

    tokens, is_new = choose_tokens(arguments.token_file)
    config = ServerConfig(
        folder=(arguments.folder or default_folder()).absolute(),
        tokens=tokens,
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name),
        roots=tuple(_folder(path) for path in arguments.root),
        hosts=tuple(arguments.allow_host),
        cert=_file("--cert", arguments.cert),
        key=_file("--key", arguments.key),
        insecure_network=arguments.insecure_network,
        workers=arguments.workers,
        threads=arguments.threads,
        memory=None if arguments.memory is None else parse_size(arguments.memory),
        scheduler=arguments.scheduler,
        limits=_limits(arguments),
    )
    return config, is_new


def default_folder() -> Path:
    """Return where a server keeps its files."""
    from platformdirs import user_data_path

    return user_data_path("napari-lightbox", appauthor=False) / "server"


def _limits(arguments: argparse.Namespace) -> Limits:
    from napari_lightbox.server.config import Limits
    from napari_lightbox.settings import parse_size

    given: dict[str, Any] = {}
    if arguments.quota is not None:
        given["quota"] = parse_size(arguments.quota)
    if arguments.least_free is not None:
        given["least_free"] = parse_size(arguments.least_free)
    if arguments.lease is not None:
        given["lease"] = arguments.lease * _HOUR
    return Limits(**given)


def _folder(path: Path) -> Path:
    from napari_lightbox.errors import ParameterError

    if not path.is_dir():
        raise ParameterError("--root", f"{path} is no folder", "Name a folder that exists")
    return path.resolve()


def _file(option: str, path: Path | None) -> Path | None:
    from napari_lightbox.errors import ParameterError

    if path is not None and not path.is_file():
        raise ParameterError(option, f"{path} is no file", "Name a PEM file that exists")
    return path


def _say(line: str) -> None:
    print(line, flush=True)
