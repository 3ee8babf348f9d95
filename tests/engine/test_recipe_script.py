"""A recipe as a script: run on its own in another process, it gives the pixels that were recorded."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.contract import Recipe, RecipeInput, Step
from napari_lightbox.contract.values import Points
from napari_lightbox.engine.recipe_script import script_of
from napari_lightbox.engine.recipes import recipe_of
from napari_lightbox.errors import RecipeError
from napari_lightbox.testing.examples import blobs, seeds


def read(path: Path) -> lb.Volume:
    (volume,) = lb.read(path)
    return volume.with_data(np.asarray(volume.data))


def run(folder: Path, recipe: Recipe, *arguments: Any) -> None:
    """Run the script as a program, in this process: starting Python for each test takes seconds."""
    script = folder / "script.py"
    script.write_text(script_of(recipe), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        runpy.run_path(str(script), run_name="__main__")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An MRI with anisotropic voxels, seeds on it and a mask, as files."""
    data = blobs(np.random.default_rng(3), (6, 40, 44), np.uint16)
    geometry = lb.Geometry.of("zyx", data.shape, (3, 1, 1))
    mask = np.zeros(data.shape, np.uint8)
    mask[:, 3:37, 4:40] = 1
    lb.write(tmp_path / "mri.nii.gz", lb.Volume(data, geometry, name='MRI "1" 100%'))
    lb.write(tmp_path / "seeds.nii.gz", lb.Volume(seeds(data), geometry, role="labels"))
    lb.write(tmp_path / "mask.nii.gz", lb.Volume(mask, geometry, role="labels"))
    return tmp_path


def test_several_inputs_give_the_same_pixels(folder: Path) -> None:
    image, marks, mask = (read(folder / f"{n}.nii.gz") for n in ("mri", "seeds", "mask"))
    smooth = lb.apply("gaussian_blur", image, sigma=(1.0, 2.0, 2.0), unit="physical", mask=mask)
    split = lb.apply("threshold_otsu", smooth)
    grown = lb.apply("region_growing", smooth, marks, split.labels)
    recipe = recipe_of(grown)
    script = folder / "script.py"
    script.write_text(script_of(recipe), encoding="utf-8")
    command = [sys.executable, str(script), *map(str, paths(recipe)), "-o", str(folder / "out.nii.gz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    result = read(folder / "out.nii.gz")
    np.testing.assert_array_equal(result.data, grown.data)
    assert result.data.dtype == grown.data.dtype
    assert result.role == "labels"
    assert result.geometry == grown.geometry


def paths(recipe: Recipe) -> list[Path]:
    """The files in the order of the recipe's inputs."""
    return [Path(i.path) for i in recipe.inputs]


def test_a_script_reads_well_and_uses_the_public_face_only(folder: Path) -> None:
    image = read(folder / "mri.nii.gz")
    text = script_of(recipe_of(lb.apply("threshold_otsu", lb.apply("median_filter", image, size=5)).labels))
    tree = ast.parse(text)
    imported = {n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)}
    assert imported == {"argparse", "sys", "numpy", "napari_lightbox"}
    used = {
        n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "lb"
    }
    assert used <= set(lb.__all__)
    assert "size=5" in text
    assert "median_filter = lb.apply(" in text
    assert max(map(len, text.splitlines())) <= 130


def test_the_same_technique_twice_off_steps_and_repeated_inputs(folder: Path) -> None:
    recipe = Recipe(
        (
            Step("gaussian_blur", {"sigma": 1.0}),
            Step("invert_intensity", {}, ("step:0",), on=False),
            Step("gaussian_blur", {"sigma": 2.0}, ("step:1",)),
            Step("histogram_matching", {}, ("step:2", "input")),
        )
    )
    run(folder, recipe, folder / "mri.nii.gz", "-o", folder / "out.nii.gz")
    image = read(folder / "mri.nii.gz")
    expected = lb.apply(
        "histogram_matching", lb.apply("gaussian_blur", lb.apply("gaussian_blur", image, sigma=1.0), sigma=2.0), image
    )
    np.testing.assert_array_equal(read(folder / "out.nii.gz").data, expected.data)


def test_a_lazy_input_is_not_loaded_and_a_transform_is_awaited(folder: Path) -> None:
    (fixed,) = lb.read(folder / "mri.nii.gz")
    moving = fixed.with_data(np.roll(fixed.data, 1, axis=-1))
    lb.write(folder / "moving.nii.gz", moving)
    (moving,) = lb.read(folder / "moving.nii.gz")
    found = lb.apply("intensity_based_registration", fixed, moving, compute=True)
    result = lb.apply("resample_to_reference", moving, fixed, found.transform)
    recipe = recipe_of(result)
    text = script_of(recipe)
    assert "np." not in text
    assert "compute=True" in text
    run(folder, recipe, *paths(recipe), "-o", folder / "out.nii.gz")
    np.testing.assert_array_equal(read(folder / "out.nii.gz").data, result.data.compute())


def test_a_table_is_written_as_csv(folder: Path) -> None:
    recipe = Recipe(
        (Step("threshold_otsu"), Step("connected_components", {}, ("step:0",)), Step("region_properties", {}, ("step:1",)))
    )
    run(folder, recipe, folder / "mri.nii.gz", "-o", folder / "out.csv")
    labels = lb.apply("connected_components", lb.apply("threshold_otsu", read(folder / "mri.nii.gz")).labels)
    expected = lb.apply("region_properties", labels).table
    (table,) = lb.read(folder / "out.csv")
    np.testing.assert_array_equal(table["label"], expected["label"])
    np.testing.assert_allclose(
        table["volume"] if "volume" in table else table["area"], expected["volume"] if "volume" in expected else expected["area"]
    )


def test_axes_named_in_napari_are_named_in_the_script(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = read(folder / "mri.nii.gz")
    renamed = lb.Volume(image.data, lb.Geometry("tyx", image.shape, image.geometry.affine, image.geometry.units))
    result = lb.apply("median_filter", renamed, size=3)
    run(folder, recipe_of(result), folder / "mri.nii.gz", "-o", folder / "out.ome.tif")
    assert "taking the axes zyx as tyx" in capsys.readouterr().err
    np.testing.assert_array_equal(np.asarray(lb.read(folder / "out.ome.tif")[0].data), result.data)


def test_what_no_file_holds_is_refused() -> None:
    image = lb.Volume(np.zeros((8, 8), np.uint8), lb.Geometry.of("yx", (8, 8)))
    moved = lb.apply("flip", image, Points(np.zeros((1, 2))))[0]
    with pytest.raises(RecipeError, match="points that no file"):
        script_of(recipe_of(moved))
    with pytest.raises(RecipeError, match="shapes, which a script cannot write"):
        script_of(Recipe((Step("find_contours"),)))


def test_a_hostile_recipe_writes_no_code_of_its_own() -> None:
    evil = '"""\nimport os; os.abort()\n"""\\'
    recipe = Recipe((Step("invert_intensity"),), name=evil, inputs=(RecipeInput(name=evil, axes=evil, role=evil),))
    tree = ast.parse(script_of(recipe))
    assert not any(isinstance(n, ast.Attribute) and n.attr == "abort" for n in ast.walk(tree))
