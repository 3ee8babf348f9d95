"""`lightbox batch`: run a recipe on many files; one that fails does not stop the others."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.cli.batch_report import Entry
    from napari_lightbox.contract import Recipe

_LOSSLESS = (".nii.gz", ".nii", ".ome.zarr", ".zarr", ".ome.tif", ".ome.tiff", ".tif", ".tiff", ".mha", ".nrrd", ".png")
_MEDICAL = ("", ".dcm", ".dicom", ".ima", ".mhd")


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "batch",
        help="run a recipe on many files",
        description="Run a recipe on many files. The folder gets one result per file and report.json, which says how each went.",
    )
    parser.add_argument("recipe", metavar="RECIPE.json", type=Path, help="a recipe saved from napari or written by hand")
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="files or DICOM folders")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--format", metavar="ENDING", help="ending of the results, such as .nii.gz; like the input when not given"
    )
    parser.add_argument(
        "--with",
        dest="further",
        metavar="PATTERN",
        action="append",
        default=[],
        help="a further input of the recipe, named after each file: {folder}, {stem} and {name} stand for its parts; repeatable",
    )
    parser.add_argument("--resume", action="store_true", help="leave alone what an earlier run has finished")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the recipe on every file; 1 when some failed."""
    from napari_lightbox.cli.batch_report import BatchReport

    recipe, text = _read_recipe(arguments.recipe)
    targets = name_targets(arguments.inputs, arguments.output, arguments.format)
    arguments.output.mkdir(parents=True, exist_ok=True)
    report = BatchReport.open(arguments.output / "report.json", text)
    for number, (source, target) in enumerate(targets.items(), start=1):
        label = f"[{number}/{len(targets)}] {source}"
        if arguments.resume and report.is_finished(source):
            print(f"{label}: finished before", file=sys.stderr)
            continue
        entry = _run_one(recipe, [source, *further_inputs(source, arguments.further)], target)
        report.add(source, entry)
        print(f"{label}: {entry.message or f'{entry.seconds:.1f} s'}", file=sys.stderr)
    failed = [source for source in targets if report.entries[source].status == "failed"]
    print(f"{len(targets) - len(failed)} of {len(targets)} done; see {report.path}", file=sys.stderr)
    return int(bool(failed))


def _read_recipe(path: Path) -> tuple[Recipe, str]:
    from napari_lightbox.contract import Recipe
    from napari_lightbox.errors import ReadError

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Give a recipe file") from error
    return Recipe.from_json(text).check(), text


def _run_one(recipe: Recipe, sources: Sequence[str], target: Path) -> Entry:
    """Run the recipe on one file and say how it went; only Ctrl-C gets out."""
    from napari_lightbox.cli.batch_report import Entry
    from napari_lightbox.cli.inputs import read_volume
    from napari_lightbox.cli.outputs import write_outputs
    from napari_lightbox.cli.progress import ProgressBar
    from napari_lightbox.engine.recipes import replay
    from napari_lightbox.errors import CancelledError

    start = time.perf_counter()
    bar = ProgressBar(target.name)
    try:
        inputs = [read_volume(source, labels=number > 0) for number, source in enumerate(sources)]
        outputs = replay(recipe, inputs, lazy=False, report=bar.update)
        files = write_outputs(target, outputs)
    except CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not stop the others
        return Entry.failed(time.perf_counter() - start, error)
    finally:
        bar.close()
    return Entry.done(time.perf_counter() - start, files)


def further_inputs(source: str, patterns: Sequence[str]) -> list[str]:
    """Return the further inputs that belong to one file.

    Raises
    ------
    ParameterError
        A pattern has an unknown placeholder.
    """
    from napari_lightbox.cli.outputs import split_name
    from napari_lightbox.errors import ParameterError

    path = Path(source)
    try:
        return [p.format(folder=path.parent.as_posix(), stem=split_name(path)[0], name=path.name) for p in patterns]
    except (KeyError, IndexError, ValueError) as error:
        raise ParameterError("--with", f"has an unknown placeholder ({error})", "Use {folder}, {stem} and {name}") from error


def name_targets(sources: Sequence[str], folder: Path, ending: str | None) -> dict[str, Path]:
    """Return the result file of each input; files of the same name from different folders keep the folder's name.

    Raises
    ------
    InputError
        Two inputs would write the same file.
    FormatError
        No writer for the ending.
    """
    from napari_lightbox.cli.outputs import split_name
    from napari_lightbox.errors import InputError
    from napari_lightbox.io.formats import writer_of

    sources = list(dict.fromkeys(sources))
    names = {source: split_name(Path(source)) for source in sources}
    stems = [stem for stem, _ in names.values()]
    targets = {}
    for source, (stem, own) in names.items():
        unique = stem if stems.count(stem) == 1 else f"{Path(source).resolve().parent.name}-{stem}"
        targets[source] = folder / (unique + (ending or _writable(own)))
        writer_of(targets[source])
    if len(set(targets.values())) < len(targets):
        raise InputError("inputs", "two of them would write the same result", "Run them into different folders")
    return targets


def _writable(ending: str) -> str:
    """Return the ending for results of a file that ends so: the same where it keeps all values, else a lossless one."""
    if ending.lower() in _LOSSLESS:
        return ending
    return ".nii.gz" if ending.lower() in _MEDICAL else ".ome.tif"
