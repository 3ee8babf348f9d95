"""`lightbox batch`: run a recipe or replay a log on many files; one that fails does not stop the others."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_lightbox.cli.replay import add_force

if TYPE_CHECKING:
    from napari_lightbox.contract import Recipe
    from napari_lightbox.io.batch_report import Entry


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "batch",
        help="run a recipe or replay a log on many files",
        description="Run a recipe, or replay an interaction log, on many files. "
        "The folder gets one result per file and report.json, which says how each went.",
    )
    parser.add_argument(
        "recipe", metavar="RECIPE.json", type=Path, help="a recipe, or an interaction log (.lightbox-log) saved from napari"
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="*", help="files or DICOM folders; a log finds the file it was made on by itself"
    )
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
    add_force(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the recipe or replay the log on every file; 1 when some failed."""
    from napari_lightbox.io.batch_report import BatchReport
    from napari_lightbox.io.result_files import further_inputs, name_targets

    work = _read_work(arguments.recipe, arguments.force)
    files = arguments.inputs or work.own_files()
    targets = name_targets(files, arguments.output, arguments.format or work.ending(files))
    arguments.output.mkdir(parents=True, exist_ok=True)
    report = BatchReport.open(arguments.output / "report.json", work.text)
    for number, (source, target) in enumerate(targets.items(), start=1):
        label = f"[{number}/{len(targets)}] {source}"
        if arguments.resume and report.is_finished(source):
            print(f"{label}: finished before", file=sys.stderr)
            continue
        entry = _run_one(work, [source, *further_inputs(source, arguments.further)], target)
        report.add(source, entry)
        print(f"{label}: {entry.message or f'{entry.seconds:.1f} s'}", file=sys.stderr)
    failed = [source for source in targets if report.entries[source].status == "failed"]
    print(f"{len(targets) - len(failed)} of {len(targets)} done; see {report.path}", file=sys.stderr)
    return int(bool(failed))


class Work(Protocol):
    """What is done to every file."""

    @property
    def text(self) -> str:
        """What tells this work from another one."""

    def own_files(self) -> list[str]:
        """Return the files to take when none are named."""

    def ending(self, files: Sequence[str]) -> str | None:
        """Return the ending of the results; None when it follows that of each file."""

    def run(self, files: Sequence[str], report: Callable[[float, str], None]) -> Mapping[str, Any]:
        """Return the outputs for one file and the further inputs that belong to it."""


@dataclass(frozen=True)
class RecipeWork:
    """A recipe, and its text."""

    recipe: Recipe
    text: str

    def own_files(self) -> list[str]:
        """Refuse: a recipe knows no files.

        Raises
        ------
        InputError
            Always.
        """
        from napari_lightbox.errors import InputError

        raise InputError("INPUT", "is missing", "Name the files to run the recipe on")

    def ending(self, files: Sequence[str]) -> str | None:
        """Leave it to the files."""
        return None

    def run(self, files: Sequence[str], report: Callable[[float, str], None]) -> Mapping[str, Any]:
        """Run the recipe."""
        from napari_lightbox.engine.recipes import replay
        from napari_lightbox.io.recipe_files import recipe_inputs

        return replay(self.recipe, recipe_inputs(self.recipe, files), lazy=False, report=report)


def _read_work(path: Path, force: bool) -> Work:
    from napari_lightbox.cli.log_work import LogWork
    from napari_lightbox.interaction.log_file import is_log
    from napari_lightbox.io.recipe_files import read_recipe

    return LogWork.read(path, force) if is_log(path) else RecipeWork(*read_recipe(path))


def _run_one(work: Work, sources: Sequence[str], target: Path) -> Entry:
    """Do the work on one file and say how it went; only Ctrl-C gets out."""
    from napari_lightbox.cli.outputs import write_outputs
    from napari_lightbox.cli.progress import ProgressBar
    from napari_lightbox.errors import CancelledError
    from napari_lightbox.io.batch_report import Entry

    start = time.perf_counter()
    bar = ProgressBar(target.name)
    try:
        files = write_outputs(target, work.run(sources, bar.update))
    except CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not stop the others
        return Entry.failed(time.perf_counter() - start, error)
    finally:
        bar.close()
    return Entry.done(time.perf_counter() - start, files)
