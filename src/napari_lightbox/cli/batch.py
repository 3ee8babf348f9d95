"""`lightbox batch`: run a recipe or replay a log on many files; one that fails does not stop the others."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_lightbox.cli.replay import add_force
from napari_lightbox.cli.server_options import add_server_options

if TYPE_CHECKING:
    from napari_lightbox.cli.batch_file import FileTask
    from napari_lightbox.cli.batch_ledger import Ledger
    from napari_lightbox.cli.batch_work import Work
    from napari_lightbox.io.batch_report import Entry


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "batch",
        help="run a recipe or replay a log on many files",
        description="Run a recipe, or replay an interaction log, on many files. "
        "The folder gets one result per file, and report.csv and report.json, which say how each went.",
    )
    add = parser.add_argument
    add("recipe", metavar="RECIPE.json", type=Path, help="a recipe, or an interaction log (.lightbox-log) saved from napari")
    add(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="files, folders, DICOM folders, patterns such as 'scans/**/*.nii.gz'; a log finds the file it was made on by itself",
    )
    add("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the results")
    add("--format", metavar="ENDING", help="ending of the results, such as .nii.gz; like the input when not given")
    add(
        "--with",
        dest="further",
        metavar="PATTERN",
        action="append",
        default=[],
        help="a further input of the recipe, named after each file: {folder}, {stem} and {name} stand for its parts; repeatable",
    )
    add("--resume", action="store_true", help="leave alone what an earlier run has finished")
    add("-j", "--jobs", metavar="N", type=int, help="files to work on at a time")
    errors = parser.add_mutually_exclusive_group()
    errors.add_argument("--keep-going", action="store_true", help="go on when a file fails; this is the default")
    errors.add_argument("--stop-on-error", action="store_true", help="stop when a file fails")
    add_force(parser)
    parser.add_argument_group("on a cluster").add_argument(
        "--scheduler",
        metavar="WHERE",
        help="tcp://host:8786, a dask cluster whose workers see the same folders, or local:4, processes on this machine",
    )
    add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the recipe or replay the log on every file; 1 when some failed."""
    from napari_lightbox.cli.batch_inputs import absolute
    from napari_lightbox.cli.batch_ledger import NAME, Ledger
    from napari_lightbox.cli.batch_places import check_place, clear_attempts
    from napari_lightbox.cli.batch_work import read_work

    work = read_work(arguments.recipe, arguments.force)
    check_place(arguments, work)
    output = absolute(arguments.output)
    tasks = plan(work, arguments, output)
    start = time.monotonic()
    with Ledger(output / NAME) as ledger:
        clear_attempts(output)
        entries = finished_before(tasks, ledger) if arguments.resume else {}
        try:
            work_on([task for task in tasks if task.source not in entries], work, ledger, entries, arguments)
        finally:
            clear_attempts(output)
            clear_left_overs(tasks)
            if entries:
                report(output, [task.source for task in tasks], entries, time.monotonic() - start)
    return int(any(entry.status == "failed" for entry in entries.values()))


def plan(work: Work, arguments: argparse.Namespace, output: Path) -> list[FileTask]:
    """Return what is to be done to which file.

    Raises
    ------
    LightboxError
        There is nothing to do, or a result could not be written.
    """
    from napari_lightbox.cli.batch_file import FileTask
    from napari_lightbox.cli.batch_inputs import absolute, find_inputs, place_results
    from napari_lightbox.cli.batch_ledger import fingerprint_of
    from napari_lightbox.io.result_files import further_inputs

    found = find_inputs(arguments.inputs or work.own_files(), output)
    ending = arguments.format or work.ending([str(one.path) for one in found])
    tasks = []
    for source, target in place_results(found, output, ending).items():
        further = [str(absolute(path)) for path in further_inputs(str(source), arguments.further)]
        inputs = (str(source), *further)
        tasks.append(FileTask(str(source), inputs, target, fingerprint_of(work.text, inputs, target)))
    return tasks


def finished_before(tasks: Sequence[FileTask], ledger: Ledger) -> dict[str, Entry]:
    """Return how those files went that need not be done again."""
    entries = {task.source: entry for task in tasks if (entry := ledger.finished(task.source, task.fingerprint)) is not None}
    for number, source in enumerate(entries, start=1):
        print(f"[{number}/{len(tasks)}] {source}: finished before", file=sys.stderr)
    return entries


def work_on(
    todo: Sequence[FileTask], work: Work, ledger: Ledger, entries: dict[str, Entry], arguments: argparse.Namespace
) -> None:
    """Work on files, and write each into the ledger and into `entries` as soon as it is done."""
    from napari_lightbox.cli.batch_loop import work_through
    from napari_lightbox.cli.batch_places import place_of
    from napari_lightbox.cli.batch_tally import Tally

    if not todo:
        return
    with place_of(work, ledger.path.parent, arguments) as place, Tally(len(entries), len(todo)) as tally:

        def heard(task: FileTask, entry: Entry) -> None:
            # first of all, so that a Ctrl-C while the disk writes the line leaves no finished file out of the report
            entries[task.source] = entry
            ledger.add(task.source, entry)
            tally.add(task.source, entry)

        work_through(todo, place, heard, tally.show, stop_on_error=arguments.stop_on_error)


def clear_left_overs(tasks: Iterable[FileTask]) -> None:
    """Remove the half-written files of workers that were killed."""
    from napari_lightbox.io.atomic import sweep

    for folder in {task.target.parent for task in tasks}:
        if folder.is_dir():
            sweep(folder)


def report(output: Path, sources: Sequence[str], entries: Mapping[str, Entry], seconds: float) -> None:
    """Write the reports, and say in a line what became of the files."""
    from napari_lightbox.cli.batch_report import write_report

    path = write_report(output, sources, entries)
    failed = sum(entry.status == "failed" for entry in entries.values())
    words = [f"{len(entries) - failed} of {len(sources)} done"]
    words += [f"{failed} failed"] if failed else []
    words += [f"{left} not run"] if (left := len(sources) - len(entries)) else []
    print(f"{', '.join(words)} in {seconds:.1f} s; see {path}", file=sys.stderr)
