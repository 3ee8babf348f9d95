"""`lightbox convert IN OUT`: from one file format to another, geometry kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "convert",
        help="convert a file to another format",
        description="Convert a file or a DICOM folder; the ending of OUT says the format. Large files go through chunk by chunk.",
    )
    parser.add_argument("input", metavar="IN", help="a file, or a folder with a DICOM series or OME-Zarr")
    parser.add_argument("output", metavar="OUT", type=Path, help="the file to write; several images go to OUT-0, OUT-1, ...")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Convert the file."""
    from napari_lightbox.cli.outputs import in_words
    from napari_lightbox.cli.running import with_progress
    from napari_lightbox.io.formats import read, writer_of
    from napari_lightbox.io.result_files import split_name

    found = read(arguments.input)
    together = writer_of(arguments.output).several and len(found) > 1
    groups = [found] if together else [[value] for value in found]
    stem, ending = split_name(arguments.output)
    for number, group in enumerate(groups):
        path = arguments.output if len(groups) == 1 else arguments.output.with_name(f"{stem}-{number}{ending}")
        with_progress(f"writing {path.name}", partial(_write, path, group))
        print(f"{path}: {'; '.join(in_words(value) for value in group)}", file=sys.stderr)
    return 0


def _write(path: Path, values: Sequence[Any], report: Callable[[float], None]) -> None:
    from napari_lightbox.io.formats import write

    write(path, *values, progress=report)
