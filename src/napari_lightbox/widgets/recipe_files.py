"""Run a recipe on many files in the background; one that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari_lightbox.contract import Recipe
from napari_lightbox.engine.background import BackgroundJob
from napari_lightbox.engine.control import Control, Part
from napari_lightbox.engine.recipes import replay
from napari_lightbox.errors import CancelledError
from napari_lightbox.io.batch_report import BatchReport, Entry
from napari_lightbox.io.recipe_files import recipe_inputs
from napari_lightbox.io.result_files import further_inputs, name_targets, write_output, write_outputs


class FilesJob(BackgroundJob):
    """One run over files; `entries` says how each one went so far, report.json in the folder says it for good.

    Parameters
    ----------
    recipe
        What to run.
    sources
        Files for the first input.
    folder, ending
        Where results go, and as what; None for the file's own ending.
    further
        Patterns for the further inputs, with {folder}, {stem} and {name} of each file.

    Raises
    ------
    LightboxError
        Two files would write the same result, or nothing writes the ending; nothing has run yet.
    """

    def __init__(
        self, recipe: Recipe, sources: Sequence[str], folder: Path, ending: str | None = None, further: Sequence[str] = ()
    ) -> None:
        super().__init__(self._run_all, "files")
        self._recipe = recipe
        self._folder = folder
        self._further = list(further)
        self.targets = name_targets(sources, folder, ending)
        for source in self.targets:
            further_inputs(source, self._further)
        self.entries: dict[str, Entry] = {}

    def _run_all(self, control: Control) -> dict[str, Any]:
        self._folder.mkdir(parents=True, exist_ok=True)
        report = BatchReport.open(self._folder / "report.json", self._recipe.to_json())
        for number, (source, target) in enumerate(self.targets.items()):
            part = Part(control, number, len(self.targets), f"{number + 1} of {len(self.targets)}, {Path(source).name}")
            entry = self._run_one(source, target, part)
            report.add(source, entry)
            self.entries[source] = entry
            control.report((number + 1) / len(self.targets), "")
        return {"report": report.path}

    def _run_one(self, source: str, target: Path, control: Control) -> Entry:
        start = time.perf_counter()
        try:
            control.report(0.0, "reading")
            inputs = recipe_inputs(self._recipe, [source, *further_inputs(source, self._further)])
            outputs = replay(self._recipe, inputs, lazy=False, control=control)
            files = write_outputs(target, outputs, partial(_write, control))
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not stop the others
            return Entry.failed(time.perf_counter() - start, error)
        return Entry.done(time.perf_counter() - start, files)


def _write(control: Control, path: Path, value: Any) -> None:
    write_output(path, value, lambda _fraction: control.check())
