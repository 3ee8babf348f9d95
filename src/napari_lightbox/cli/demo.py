"""`lightbox demo`: read, filter lazily, segment from seeds, measure and write; says what it does and how well."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume
    from napari_lightbox.cli.demo_tumour import Case


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "demo",
        help="a tour in a minute",
        description="Read a real MRI and a CT series, filter lazily, segment a tumour from seeds, measure, write.",
    )
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("lightbox-demo"), help="folder for the results")
    window = parser.add_mutually_exclusive_group()
    window.add_argument("--screenshots", action="store_true", help="write pictures of napari instead of opening it")
    window.add_argument("--no-window", action="store_true", help="leave napari alone")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the tour."""
    folder = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    mri = _filter_mri(folder)
    case = _read_ct(folder)
    results = _segment(case)
    _measure_and_write(folder, case, results)
    print(f"\nDone in {time.perf_counter() - start:.1f} s; the results are in {folder}")
    if not arguments.no_window:
        _show(folder, mri, case, results, screenshots=arguments.screenshots)
    return 0


def _show(folder: Path, mri: list[Volume], case: Case, results: dict[str, Volume], *, screenshots: bool) -> None:
    from dataclasses import replace

    from napari_lightbox.cli.demo_gallery import Scene, show_gallery
    from napari_lightbox.cli.demo_tumour import in_chest
    from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM

    print("\nnapari")
    labels = [replace(volume, name=name.replace("_", " ")) for name, volume in results.items()]
    layers = [case.chest, *(in_chest(case, volume) for volume in (*labels, case.seeds))]
    tumour = Scene("tumour", layers, "random_walker", focus=TUMOUR_CENTRE_MM)
    show_gallery(folder, [tumour, Scene("mri", mri, "gaussian_blur")], screenshots=screenshots)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print what is done and how long it took."""
    print(f"  {text} ...", end="", flush=True)
    start = time.perf_counter()
    try:
        yield
    except BaseException:
        print(" stopped")
        raise
    print(f" {time.perf_counter() - start:.2f} s")


def _filter_mri(folder: Path) -> list[Volume]:
    """Smooth a real MRI: first the slice in view, then all of it."""
    import numpy as np

    import napari_lightbox as lb
    from napari_lightbox.samples import real_mri_path

    print("Real MRI, two time points")
    with step("read example4d.nii.gz"):
        (mri,) = lb.read(real_mri_path("example4d.nii.gz"))
    spacing = " x ".join(f"{s:.2f}" for s in mri.geometry.spacing_along("zyx"))
    print(f"    {mri.axes} {'x'.join(map(str, mri.shape))} {mri.dtype}, voxels {spacing} mm, slices oblique")
    with step("ask for a Gaussian blur of 2 mm; nothing is computed yet"):
        smooth = lb.apply("gaussian_blur", mri, sigma=2.0, unit="physical")
    with step("look at one slice"):
        np.asarray(smooth.data[1, 12])
    with step("compute and write the rest: mri-smooth.nii.gz"):
        lb.write(folder / "mri-smooth.nii.gz", smooth)
    (again,) = lb.read(folder / "mri-smooth.nii.gz")
    print(f"    read back, geometry {'unchanged' if again.geometry == mri.geometry else 'CHANGED'}")
    return [mri, again]


def _read_ct(folder: Path) -> Case:
    """Write the chest phantom as a DICOM series, read it back and take the part around the tumour."""
    import numpy as np

    import napari_lightbox as lb
    from napari_lightbox.cli.demo_tumour import around_tumour
    from napari_lightbox.samples import thorax_ct

    print("\nChest CT with a lung tumour (phantom, so that the truth is known)")
    with step("make the phantom and write it as a DICOM series: ct-series"):
        phantom = thorax_ct()
        lb.write(folder / "ct-series", phantom.image)
    with step("read the series"):
        (ct,) = lb.read(folder / "ct-series")
    same = bool(np.array_equal(np.asarray(ct.data), phantom.image.data)) and ct.geometry == phantom.image.geometry
    print(f"    {ct.axes} {'x'.join(map(str, ct.shape))}, Hounsfield units and geometry {'as written' if same else 'CHANGED'}")
    with step("median filter of 3 x 3 in every slice"):
        smooth = lb.apply("median_filter", ct, over="yx", compute=True)
    return around_tumour(smooth, phantom.labels)


def _segment(case: Case) -> dict[str, Volume]:
    """Segment the tumour from the same seeds with two engines."""
    import napari_lightbox as lb
    from napari_lightbox.cli.demo_tumour import dice, volume_ml

    shape = "x".join(map(str, case.image.shape))
    print(f"\nTumour from {int((case.seeds.data > 0).sum())} painted voxels (of {case.seeds.data.size}), {shape} around it")
    print(f"    truth: {volume_ml(case.truth):.2f} ml on this grid, {case.analytic_ml:.2f} ml as an ellipsoid")
    engines: dict[str, dict[str, Any]] = {
        "marker_controlled_watershed": {"watershed_line": False},
        "random_walker": {"intensity_range": 400.0},
    }
    results = {}
    for name, parameters in engines.items():
        with step(name):
            labels = main_of(lb.apply(name, case.image, case.seeds, compute=True, **parameters))
        print(f"    {volume_ml(labels):.2f} ml, Dice {dice(labels, case.truth):.3f}")
        results[name] = labels
    return results


def _measure_and_write(folder: Path, case: Case, results: dict[str, Volume]) -> None:
    """Measure every label and write NIfTI, OME-Zarr and CSV."""
    import napari_lightbox as lb

    print("\nMeasure and write")
    for name, labels in results.items():
        with step(f"measure the labels: {name}.csv"):
            lb.write(folder / f"{name}.csv", main_of(lb.apply("region_properties", labels, case.image)))
        with step(f"write the labels: {name}.nii.gz"):
            lb.write(folder / f"{name}.nii.gz", labels)
    with step("write image and labels together: tumour.ome.zarr"):
        lb.write(folder / "tumour.ome.zarr", case.image, results["random_walker"])


def main_of(result: Any) -> Any:
    """Return the main output of a technique with one or several."""
    return result[0] if isinstance(result, tuple) else result
