"""`lightbox apply`: run one technique on files."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.cli.server_options import add_server_options

if TYPE_CHECKING:
    from napari_lightbox.contract import Technique
    from napari_lightbox.engine.request import Request


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "apply",
        help="run a technique on files",
        description="Run a technique. `lightbox show ID` lists its inputs and parameters.",
    )
    parser.add_argument("id", metavar="ID", help="technique id, such as gaussian_blur")
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="one file per input, in declared order; - leaves one out")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, help="where to write; further outputs go to OUT-<name>")
    parser.add_argument(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a parameter, or name a model file; repeatable",
    )
    parser.add_argument("--mask", metavar="M", help="labels file; outside the mask the image stays as it was")
    parser.add_argument("--over", metavar="AXES", help="axes to work over, such as yx for plane by plane")
    parser.add_argument("--axes", metavar="AXES", help="what the dimensions of the input are, such as tyx")
    parser.add_argument("--spacing", metavar="S", help="distance between samples, such as 3,1,1 for z, y, x")
    parser.add_argument("--blocks", action="store_true", help="compute and write block by block, for images larger than memory")
    add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the technique and write what it gives."""
    from napari_lightbox.cli.inputs import place_models, read_inputs, read_volume
    from napari_lightbox.cli.parameters import read_parameters
    from napari_lightbox.contract import registry
    from napari_lightbox.engine.request import Request

    technique = registry.get(arguments.id)
    files, texts = place_models(technique, arguments.inputs, arguments.parameter)
    parameters = read_parameters(technique, texts)
    check_output(technique, parameters, arguments.output)
    inputs = read_inputs(technique, files, arguments.axes, arguments.spacing)
    mask = read_volume(arguments.mask, labels=True) if arguments.mask else None
    start = time.perf_counter()
    if arguments.blocks:
        inputs = in_blocks(inputs)
    request = Request(technique.id, inputs, parameters, mask=mask, over=arguments.over, lazy=arguments.blocks)
    _run_and_write(request, technique.title, arguments)
    if arguments.output is not None:
        print(f"{technique.title}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return 0


def _run_and_write(request: Request, title: str, arguments: argparse.Namespace) -> None:
    from napari_lightbox.cli.outputs import in_words, print_outputs, write_outputs
    from napari_lightbox.cli.running import run_request
    from napari_lightbox.cli.server_options import server_of
    from napari_lightbox.cli.server_steps import ServerSteps

    with ExitStack() as scope:
        server = scope.enter_context(server_of(arguments))
        run = None if server is None else scope.enter_context(ServerSteps(server))
        outputs = settled(run_request(request, title, run).outputs)
        if arguments.output is None:
            print_outputs(outputs)
            return
        present = [value for value in outputs.values() if value is not None]
        for path, value in zip(write_outputs(arguments.output, outputs), present, strict=True):
            print(f"{path}: {in_words(value)}", file=sys.stderr)


def check_output(technique: Technique, parameters: Mapping[str, Any], path: Path | None) -> None:
    """Find out before the run, not after it, that the result could not be written.

    Raises
    ------
    InputError
        No path for an image.
    FormatError
        No writer for the ending.
    """
    from napari_lightbox.errors import InputError
    from napari_lightbox.io.formats import writer_of

    if not any(o.is_array and o.present(technique.complete(parameters)) for o in technique.outputs):
        return
    if path is None:
        raise InputError("-o", f"is needed: {technique.id} gives an image", "Say where to write it with -o OUT")
    writer_of(path)


def settled(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs with lazy tables and values computed; images stay lazy until they are written."""
    from napari_lightbox.axes import Volume

    return {n: v.compute() if hasattr(v, "compute") and not isinstance(v, Volume) else v for n, v in outputs.items()}


def in_blocks(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs with every image cut into chunks, so that nothing is computed before it is written."""
    from napari_lightbox.engine.wrap import wrap_all

    return wrap_all(inputs)
