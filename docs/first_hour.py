"""Walk through the first hour in napari with a mouse and a keyboard: ``python docs/first_hour.py -o FOLDER``.

Goes all the way on a real MRI of the head and on a CT phantom of the chest, takes the pictures of guide/first-hour.md, then
replays recipes and interaction logs on the command line and compares.
Needs a display: ``xvfb-run -a python docs/first_hour.py -o FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.testing import Hand

WINDOW = (1280, 800)
ENGINES = ("marker_controlled_watershed", "random_walker", "graph_cut_voxel")
TUMOUR = 9
VENTRICLES = (0, 18, 45, 64)


@dataclass(frozen=True)
class Patient:
    """A scan and what is to be found in it.

    `name` stands before the names of pictures and files, `centre` is an index inside the object, background is painted `reach`
    pixels above and below it, and `truth` is the object where it is known.
    """

    name: str
    scan: Path
    centre: tuple[int, ...]
    reach: int
    truth: NDArray[np.bool_] | None = None

    @property
    def spot(self) -> tuple[int, int]:
        """Row and column of the centre."""
        return self.centre[-2], self.centre[-1]


def walk(folder: Path, patients: Sequence[Patient], minutes: float) -> dict[str, Any]:
    """Open, browse, denoise, annotate, correct, undo, measure, learn and save, with a picture of each step."""
    import napari

    viewer = napari.Viewer(title="First hour")
    viewer.window.resize(*WINDOW)
    report = {}
    for patient in patients:
        hand = Pictures(viewer, folder, patient.name)
        report[patient.name] = walk_one(hand, patient, minutes)
    viewer.close()
    return report


def walk_one(hand: Pictures, patient: Patient, minutes: float) -> dict[str, Any]:
    """Go all the way with one scan."""
    hand.viewer.window.remove_dock_widget("all")
    before = list(hand.viewer.layers)
    hand.viewer.open(str(patient.scan), plugin="napari-lightbox")
    for layer in before:
        hand.viewer.layers.remove(layer)
    look_at(hand.viewer, patient)
    hand.picture("open")
    smooth = denoise(hand)
    dock, report = annotate(hand, smooth, patient)
    report |= correct(hand, dock, patient)
    for moment in range(1, smooth.data.shape[0] if smooth.ndim > len("zyx") else 1):
        segment_at(moment, hand, dock, patient)
    labels = hand.viewer.layers[report["target"]]
    measure(hand, labels)
    classify(hand, dock)
    save(hand, dock, labels)
    return report | train(hand, smooth, labels, minutes)


class Pictures(Hand):
    """A hand whose pictures carry the name of the patient."""

    def __init__(self, viewer: Any, folder: Path, patient: str) -> None:
        super().__init__(viewer, folder)
        self.patient = patient

    def picture(self, name: str) -> None:
        """Photograph the window."""
        super().picture(f"{self.patient}-{name}")

    def file(self, name: str) -> Path:
        """Return where something of this patient is kept."""
        return self.folder / f"{self.patient}-{name}"


def chest(folder: Path) -> Patient:
    """Write the chest phantom as a DICOM series; its tumour is to be found."""
    import napari_lightbox as lb
    from napari_lightbox.samples import thorax_ct
    from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM

    phantom = thorax_ct()
    lb.write(folder / "ct-series", phantom.image)
    (scan,) = lb.read(folder / "ct-series")
    index = np.linalg.inv(scan.geometry.affine) @ [*TUMOUR_CENTRE_MM, 1]
    centre = tuple(np.rint(index[:-1]).astype(int).tolist())
    return Patient("ct", folder / "ct-series", centre, 14, np.asarray(phantom.labels.data) == TUMOUR)


def head() -> Patient:
    """Return the real MRI that comes with nibabel: two time points, oblique slices; its ventricles are to be found."""
    from napari_lightbox.samples import real_mri_path

    return Patient("mri", real_mri_path("example4d.nii.gz"), VENTRICLES, 20)


def look_at(viewer: Any, patient: Patient) -> None:
    """Turn to the slice with the object and zoom in."""
    place = viewer.layers[0].data_to_world(patient.centre)
    viewer.dims.point = place
    viewer.scene.camera.center = place[-2:]
    viewer.scene.camera.zoom *= 1.6


def denoise(hand: Pictures) -> Any:
    """Find the median filter by typing, open it with Enter, run it."""
    from napari_lightbox.widgets.finder_dock import FinderDock
    from napari_lightbox.widgets.technique_dock import TechniqueDock

    finder = hand.dock(FinderDock(hand.viewer), "Find a technique (Lightbox)")
    hand.type(finder.search, "median")
    hand.picture("browse")
    hand.key(finder.search, "Return")
    dock = next(d for d in hand.viewer.window.dock_widgets.values() if isinstance(d, TechniqueDock))
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.bar.busy)
    hand.picture("denoise")
    hand.viewer.window.remove_dock_widget(dock)
    hand.viewer.window.remove_dock_widget(finder)
    return hand.viewer.layers[-1]


def annotate(hand: Pictures, image: Any, patient: Patient) -> tuple[Any, dict[str, Any]]:
    """Scribble on the object and around it, look at three engines, keep the last."""
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    dock = hand.dock(AnnotateDock(hand.viewer), "Annotate (Lightbox)")
    dock.panel.image.choose(image)
    dock.panel.choose_scope("plane")
    hand.press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    seeds.brush_size = 2
    y, x = patient.spot
    hand.stroke(seeds, (y - 2, x - 2), (y + 2, x + 2))
    surround(hand, dock, patient)
    hand.wait(lambda: not dock.busy)
    hand.picture("scribbles")
    found: dict[str, Any] = {}
    for engine in ENGINES:
        dock.panel.choose_engine(engine)
        start = time.perf_counter()
        hand.press(dock.bar.run)
        gap = hand.wait(lambda: not dock.busy)
        found[engine] = {"seconds": time.perf_counter() - start, "longest_gap_ms": 1e3 * gap}
        hand.picture(f"engine-{engine}")
    return dock, {"engines": found, "latency_ms": brush_latency(hand, dock, seeds, (y, x))}


def surround(hand: Pictures, dock: Any, patient: Patient) -> None:
    """Paint background above and below the object."""
    hand.press(dock.panel.background)
    y, x = patient.spot
    for row in (y - patient.reach, y + patient.reach):
        hand.stroke(dock.panel.seeds.chosen(), (row, x - 10), (row, x + 6))


def brush_latency(hand: Pictures, dock: Any, seeds: Any, centre: tuple[int, int]) -> dict[str, float]:
    """Return milliseconds from the release of the brush to the updated preview, per engine."""
    y, x = centre
    seeds.selected_label = 1
    taken = {}
    for engine in ENGINES:
        dock.panel.choose_engine(engine)
        hand.wait(lambda: not dock.busy)
        times = []
        for _ in range(3):
            seeds.selected_label = 0 if seeds.selected_label else 1
            start = hand.stroke(seeds, (y, x + 3), (y + 1, x + 3))
            hand.wait(lambda: not dock.busy)
            times.append(time.perf_counter() - start)
        taken[engine] = 1e3 * float(np.median(times))
        seeds.selected_label = 1
    return taken


def correct(hand: Pictures, dock: Any, patient: Patient) -> dict[str, Any]:
    """Accept the volume, correct it with a stroke, undo twice, redo, accept."""
    dock.panel.choose_engine("random_walker")
    dock.panel.choose_scope("box")
    dock.panel.margin.setValue(24)
    hand.wait(lambda: not dock.busy)
    seeds = dock.panel.seeds.chosen()
    y, x = patient.spot
    hand.stroke(seeds, (y - 1, x - 3), (y - 1, x + 3))
    hand.wait(lambda: not dock.busy)
    hand.press(dock.panel.accept)
    hand.wait(lambda: not dock.busy)
    target = dock.panel.target.chosen()
    hand.picture("accepted")
    accepted = np.asarray(target.data).copy()
    hand.stroke(seeds, (y + 2, x - 3), (y + 2, x + 3))
    hand.wait(lambda: not dock.busy)
    hand.press(dock.panel.accept)
    hand.wait(lambda: not dock.busy)
    corrected = np.asarray(target.data).copy()
    hand.press(dock.undo)
    hand.wait(lambda: not dock.busy)
    once = np.asarray(target.data).copy()
    hand.press(dock.undo)
    hand.wait(lambda: not dock.busy)
    hand.picture("undone")
    for _ in range(2):
        hand.press(dock.redo)
        hand.wait(lambda: not dock.busy)
    again = np.asarray(target.data)
    report = {
        "target": target.name,
        "voxels": int(np.count_nonzero(again == 1)),
        "undo_restores": bool(np.array_equal(once, accepted)),
        "redo_restores": bool(np.array_equal(again, corrected)),
    }
    return report if patient.truth is None else report | {"dice": dice(again == 1, patient.truth)}


def segment_at(moment: int, hand: Pictures, dock: Any, patient: Patient) -> None:
    """Find the object at another point in time, too."""
    hand.viewer.dims.set_current_step(0, moment)
    surround(hand, dock, patient)
    seeds = dock.panel.seeds.chosen()
    seeds.selected_label = 1
    y, x = patient.spot
    half = patient.reach // 2
    hand.stroke(seeds, (y - half, x - half // 2), (y, x), (y + half, x - half // 2))
    hand.stroke(seeds, (y - half, x + half // 2), (y, x), (y + half, x + half // 2))
    hand.wait(lambda: not dock.busy)
    hand.press(dock.panel.accept)
    hand.wait(lambda: not dock.busy)
    hand.picture(f"time-{moment}")


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return how well two objects agree."""
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


def measure(hand: Pictures, labels: Any) -> None:
    """Measure the object and look at the table."""
    from napari_lightbox.contract import registry
    from napari_lightbox.widgets.technique_dock import dock_class

    dock = hand.dock(dock_class(registry.get("region_properties"))(hand.viewer), "Region properties (Lightbox)")
    dock.inputs.choosers["labels"].choose(labels)
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.bar.busy)
    hand.picture("measure")
    hand.viewer.window.remove_dock_widget(dock)


def classify(hand: Pictures, dock: Any) -> None:
    """Classify pixels from the same scribbles."""
    dock.panel.choose_scope("plane")
    dock.panel.choose_engine("pixel_classifier")
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.busy)
    hand.picture("pixel-classifier")
    hand.press(dock.panel.discard)


def train(hand: Pictures, image: Any, labels: Any, minutes: float) -> dict[str, Any]:
    """Train a U-Net on the object that was accepted."""
    from napari_lightbox.widgets.train_dock import TrainDock

    hand.viewer.window.remove_dock_widget("all")
    dock = hand.dock(TrainDock(hand.viewer), "Train a U-Net (Lightbox)")
    row = dock.source.rows[0]
    row.image.choose(image)
    row.labels.choose(labels)
    dock.fields["minutes"].set_value(minutes)
    loading = hand.wait(dock.bar.run.isEnabled)
    hand.press(dock.bar.run)
    gap = hand.wait(lambda: not dock.bar.busy)
    hand.picture("unet")
    learnt = dock.trained.dice if dock.trained is not None else None
    return {"unet_dice": learnt, "unet_longest_gap_ms": 1e3 * gap, "torch_loading_gap_ms": 1e3 * loading}


def save(hand: Pictures, annotate_dock: Any, labels: Any) -> None:
    """Save recipe, log and mask."""
    import napari_lightbox as lb
    from napari_lightbox.widgets.layers import suggest_axes, volume_of
    from napari_lightbox.widgets.recipe_dock import RecipeDock

    annotate_dock.save_log(hand.file("object.lightbox-log"))
    dock = hand.dock(RecipeDock(hand.viewer), "Recipe (Lightbox)")
    smooth = annotate_dock.panel.image.chosen()
    hand.viewer.layers.selection.active = smooth
    hand.wait(lambda: not dock.busy)
    hand.picture("recipe")
    dock.exchange.save(hand.file("recipe.json"))
    lb.write(hand.file("smooth.nii.gz"), volume_of(smooth, suggest_axes(smooth)[0]))
    lb.write(hand.file("object.nii.gz"), volume_of(labels, suggest_axes(labels)[0]))


def replay(folder: Path, patient: Patient) -> dict[str, Any]:
    """Run recipe and log on the command line and compare with what the window gave, bit for bit."""
    import napari_lightbox as lb

    def run(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "napari_lightbox", *words], check=True)

    def equal(one: Path, other: Path) -> bool:
        (first,), (second,) = lb.read(one), lb.read(other)
        return first.geometry == second.geometry and np.array_equal(np.asarray(first.data), np.asarray(second.data))

    file = {name: folder / f"{patient.name}-{name}" for name in ("recipe.json", "smooth.nii.gz", "object.nii.gz")}
    results, again = folder / f"{patient.name}-recipe-again", folder / f"{patient.name}-log-again.nii.gz"
    run("batch", str(file["recipe.json"]), str(patient.scan), "-o", str(results), "--format", ".nii.gz")
    run("replay", str(folder / f"{patient.name}-object.lightbox-log"), str(file["smooth.nii.gz"]), "-o", str(again))
    return {
        "recipe_equal": equal(file["smooth.nii.gz"], next(results.glob("*.nii.gz"))),
        "log_equal": equal(file["object.nii.gz"], again),
    }


def shrink(picture: Path, page: Path) -> None:
    """Write a picture as a page shows it, if it does."""
    from PIL import Image

    name = f"{page.stem}/{picture.stem[3:]}.webp"
    if name in page.read_text():
        small = page.parent / name
        small.parent.mkdir(parents=True, exist_ok=True)
        Image.open(picture).convert("RGB").save(small, quality=80, method=6)


def main() -> None:
    """Take the walk and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path(tempfile.mkdtemp(prefix="first-hour-")))
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the U-Net may train")
    parser.add_argument("--page", type=Path, help="page of the guide whose pictures are to be made anew")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("LIGHTBOX_CACHE", str(arguments.output / "cache"))
    patients = [head(), chest(arguments.output)]
    report = walk(arguments.output, patients, arguments.minutes)
    for patient in patients:
        report[patient.name] |= replay(arguments.output, patient)
    if arguments.page:
        for picture in arguments.output.glob("*.png"):
            shrink(picture, arguments.page)
    (arguments.output / "report.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))
    sys.exit(0 if all(one["recipe_equal"] and one["log_equal"] for one in report.values()) else 1)


if __name__ == "__main__":
    main()
