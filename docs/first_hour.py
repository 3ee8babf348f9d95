"""Walk through the first hour in napari with a mouse and a keyboard: ``python docs/first_hour.py -o FOLDER``.

Takes the pictures of guide/first-hour.md, then replays recipe and interaction log on the command line and compares.
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
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.testing import Hand

WINDOW = (1280, 800)
ENGINES = ("marker_controlled_watershed", "random_walker", "graph_cut_voxel")
TUMOUR = 9


def walk(folder: Path, minutes: float) -> dict[str, Any]:
    """Open, browse, denoise, annotate, correct, undo, measure, learn and save, with a picture of each step."""
    import napari

    from napari_lightbox.samples import real_mri_path

    series = make_series(folder)
    viewer = napari.Viewer(title="First hour")
    viewer.window.resize(*WINDOW)
    hand = Hand(viewer, folder)
    viewer.open(str(real_mri_path("anatomical.nii")), plugin="napari-lightbox")
    hand.picture("mri")
    viewer.layers.clear()
    viewer.open(str(series), plugin="napari-lightbox")
    look_at_tumour(viewer)
    hand.picture("ct")
    smooth = denoise(hand)
    dock, report = annotate(hand, smooth)
    report |= correct(hand, dock)
    labels = viewer.layers[report["target"]]
    measure(hand, labels)
    classify(hand, dock)
    save(hand, dock, labels)
    report |= train(hand, minutes)
    viewer.close()
    return report


def make_series(folder: Path) -> Path:
    """Write the chest phantom as a DICOM series, and its true tumour beside it."""
    import napari_lightbox as lb
    from napari_lightbox.samples import thorax_ct

    phantom = thorax_ct()
    lb.write(folder / "ct-series", phantom.image)
    np.save(folder / "truth.npy", np.asarray(phantom.labels.data) == TUMOUR)
    return folder / "ct-series"


def look_at_tumour(viewer: Any) -> None:
    """Turn to the slice with the tumour and zoom in."""
    from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM

    layer = viewer.layers[0]
    viewer.dims.point = tuple(layer.data_to_world(layer.world_to_data(TUMOUR_CENTRE_MM)))
    viewer.scene.camera.center = TUMOUR_CENTRE_MM[-2:]
    viewer.scene.camera.zoom *= 1.6


def denoise(hand: Hand) -> Any:
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


def annotate(hand: Hand, image: Any) -> tuple[Any, dict[str, Any]]:
    """Scribble on tumour, lung and wall, look at three engines, keep the last."""
    from napari_lightbox.widgets.annotate.dock import AnnotateDock

    dock = hand.dock(AnnotateDock(hand.viewer), "Annotate (Lightbox)")
    dock.panel.image.choose(image)
    dock.panel.choose_scope("plane")
    hand.press(dock.panel.new)
    seeds = dock.panel.seeds.chosen()
    seeds.brush_size = 2
    y, x = tumour_pixel(image)
    hand.stroke(seeds, (y - 2, x - 2), (y + 2, x + 2))
    hand.press(dock.panel.background)
    hand.stroke(seeds, (y - 14, x - 10), (y - 14, x + 6))
    hand.stroke(seeds, (y + 14, x - 10), (y + 14, x + 6))
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


def tumour_pixel(image: Any) -> tuple[int, int]:
    """Return row and column of the tumour's centre in the visible slice."""
    from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM

    row, column = image.world_to_data(TUMOUR_CENTRE_MM)[-2:]
    return round(row), round(column)


def brush_latency(hand: Hand, dock: Any, seeds: Any, centre: tuple[int, int]) -> dict[str, float]:
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


def correct(hand: Hand, dock: Any) -> dict[str, Any]:
    """Accept the volume, correct it with a stroke, undo twice, redo, accept."""
    dock.panel.choose_engine("random_walker")
    dock.panel.choose_scope("box")
    dock.panel.margin.setValue(24)
    hand.wait(lambda: not dock.busy)
    seeds, image = dock.panel.seeds.chosen(), dock.panel.image.chosen()
    y, x = tumour_pixel(image)
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
    truth = np.load(hand.folder / "truth.npy")
    overlap = 2 * np.count_nonzero((again == 1) & truth) / (np.count_nonzero(again == 1) + np.count_nonzero(truth))
    return {
        "target": target.name,
        "undo_restores": bool(np.array_equal(once, accepted)),
        "redo_restores": bool(np.array_equal(again, corrected)),
        "dice": float(overlap),
    }


def measure(hand: Hand, labels: Any) -> None:
    """Measure the tumour and look at the table."""
    from napari_lightbox.contract import registry
    from napari_lightbox.widgets.technique_dock import dock_class

    dock = hand.dock(dock_class(registry.get("region_properties"))(hand.viewer), "Region properties (Lightbox)")
    dock.inputs.choosers["labels"].choose(labels)
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.bar.busy)
    hand.picture("measure")
    hand.viewer.window.remove_dock_widget(dock)


def classify(hand: Hand, dock: Any) -> None:
    """Classify pixels from the same scribbles."""
    dock.panel.choose_scope("plane")
    dock.panel.choose_engine("pixel_classifier")
    hand.press(dock.bar.run)
    hand.wait(lambda: not dock.busy)
    hand.picture("pixel-classifier")
    hand.press(dock.panel.discard)


def train(hand: Hand, minutes: float) -> dict[str, Any]:
    """Train a U-Net on cells whose labels are at hand."""
    from napari_lightbox.widgets.train_dock import TrainDock

    hand.viewer.window.remove_dock_widget("all")
    hand.viewer.layers.clear()
    hand.viewer.open_sample("napari-lightbox", "cells_2d")
    image, labels = hand.viewer.layers
    hand.viewer.reset_view()
    dock = hand.dock(TrainDock(hand.viewer), "Train a U-Net (Lightbox)")
    row = dock.source.rows[0]
    row.image.choose(image)
    row.labels.choose(labels)
    dock.fields["minutes"].set_value(minutes)
    dock.fields["merge"].set_value(True)
    hand.press(dock.bar.run)
    gap = hand.wait(lambda: not dock.bar.busy)
    hand.picture("unet")
    return {"unet_dice": dock.trained.dice if dock.trained is not None else None, "unet_longest_gap_ms": 1e3 * gap}


def save(hand: Hand, annotate_dock: Any, labels: Any) -> None:
    """Save recipe, log and mask."""
    import napari_lightbox as lb
    from napari_lightbox.widgets.layers import suggest_axes, volume_of
    from napari_lightbox.widgets.recipe_dock import RecipeDock

    annotate_dock.save_log(hand.folder / "tumour.lightbox-log")
    dock = hand.dock(RecipeDock(hand.viewer), "Recipe (Lightbox)")
    smooth = annotate_dock.panel.image.chosen()
    hand.viewer.layers.selection.active = smooth
    hand.wait(lambda: not dock.busy)
    hand.picture("recipe")
    dock.exchange.save(hand.folder / "recipe.json")
    lb.write(hand.folder / "smooth.nii.gz", volume_of(smooth, suggest_axes(smooth)[0]))
    lb.write(hand.folder / "tumour.nii.gz", volume_of(labels, suggest_axes(labels)[0]))


def replay(folder: Path) -> dict[str, Any]:
    """Run recipe and log on the command line and compare with what the window gave, bit for bit."""
    import napari_lightbox as lb

    def run(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "napari_lightbox", *words], check=True)

    results = folder / "recipe-again"
    run("batch", str(folder / "recipe.json"), str(folder / "ct-series"), "-o", str(results), "--format", ".nii.gz")
    (smooth,), (again,) = lb.read(folder / "smooth.nii.gz"), lb.read(next(results.glob("*.nii.gz")))
    run("replay", str(folder / "tumour.lightbox-log"), str(folder / "smooth.nii.gz"), "-o", str(folder / "log-again.nii.gz"))
    (mask,), (log,) = lb.read(folder / "tumour.nii.gz"), lb.read(folder / "log-again.nii.gz")
    return {
        "recipe_equal": bool(np.array_equal(np.asarray(smooth.data), np.asarray(again.data))),
        "log_equal": bool(np.array_equal(np.asarray(mask.data), np.asarray(log.data))),
    }


def shrink(picture: Path, page: Path) -> None:
    """Write a picture as the guide shows it."""
    from PIL import Image

    page.parent.mkdir(parents=True, exist_ok=True)
    Image.open(picture).convert("RGB").save(page, quality=80, method=6)


def main() -> None:
    """Take the walk and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path(tempfile.mkdtemp(prefix="first-hour-")))
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the U-Net may train")
    parser.add_argument("--pages", type=Path, help="folder of the guide for small copies of the pictures")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("LIGHTBOX_CACHE", str(arguments.output / "cache"))
    report = walk(arguments.output, arguments.minutes)
    report |= replay(arguments.output)
    if arguments.pages:
        for picture in arguments.output.glob("*.png"):
            shrink(picture, arguments.pages / f"{picture.stem[3:]}.webp")
    (arguments.output / "report.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))
    sys.exit(0 if report["recipe_equal"] and report["log_equal"] else 1)


if __name__ == "__main__":
    main()
