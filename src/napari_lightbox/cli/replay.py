"""`lightbox replay`: do again what an interaction log says, and write the labels."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "replay",
        help="make the labels of an interaction log again",
        description="Do again what was painted, run and accepted in napari. The labels come out bit for bit as they were.",
    )
    parser.add_argument("log", metavar="LOG.lightbox-log", type=Path, help="a log saved from napari")
    parser.add_argument(
        "inputs",
        metavar="IMAGE",
        nargs="*",
        help="the images it was made on, in their order; found by themselves where they were",
    )
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="where to write the labels")
    add_force(parser)
    parser.set_defaults(run=run)


def add_force(parser: argparse.ArgumentParser) -> None:
    """Declare the option that lets another image in."""
    parser.add_argument(
        "--force", action="store_true", help="replay a log on another image of the same shape: same strokes, same engines"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay the log and write what it gives."""
    from napari_lightbox.cli.log_work import LogWork
    from napari_lightbox.cli.outputs import in_words, write_outputs
    from napari_lightbox.cli.running import with_progress
    from napari_lightbox.engine.control import Control
    from napari_lightbox.io.formats import writer_of

    writer_of(arguments.output)
    start = time.perf_counter()
    work = LogWork.read(arguments.log, arguments.force)
    files = arguments.inputs or work.own_files()
    outputs = with_progress(arguments.log.name, lambda report: work.run(files, Control(report)))
    for path, value in zip(write_outputs(arguments.output, outputs), outputs.values(), strict=True):
        print(f"{path}: {in_words(value)}", file=sys.stderr)
    print(f"{arguments.log.name}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return 0
