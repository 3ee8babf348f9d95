"""The `lightbox` command: one subcommand per module of this package."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from napari_lightbox.cli import apply, batch, convert, demo, doctor, list_techniques, replay, script, serve, show, train
from napari_lightbox.errors import CancelledError, LightboxError

OK, FAILED, WRONG, CANCELLED = 0, 1, 2, 130
_SUBCOMMANDS = (list_techniques, show, apply, batch, replay, script, convert, train, serve, demo, doctor)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="lightbox", description="Image processing for 2D images, video, MRI and CT.")
    parser.add_argument("--version", action="store_true", help="show the version and stop")
    parser.add_argument("--debug", action="store_true", help="show the full traceback of an error")
    subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in _SUBCOMMANDS:
        module.add_to(subcommands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 is success, 1 that some of several files failed or something is missing, 2 a wrong command, input or parameter,
    130 that the user pressed Ctrl-C.
    """
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    if arguments.version:
        from napari_lightbox import __version__

        print(f"napari-lightbox {__version__}")
        return OK
    if arguments.command is None:
        parser.print_help()
        return WRONG
    return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    try:
        return int(arguments.run(arguments))
    except (KeyboardInterrupt, CancelledError):
        print("lightbox: cancelled; nothing half-written is left behind", file=sys.stderr)
        return CANCELLED
    except LightboxError as error:
        if arguments.debug:
            raise
        print(f"lightbox: {error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if arguments.debug:
            raise
        print(f"lightbox: unexpected {type(error).__name__}: {error}. Run again with --debug to see where", file=sys.stderr)
        return WRONG
