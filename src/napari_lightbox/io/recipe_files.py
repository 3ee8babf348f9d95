"""Recipes as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_lightbox.axes import Volume
from napari_lightbox.contract import Recipe
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing
from napari_lightbox.io.volumes import volume_in

_LARGEST = 2**24


def read_recipe(path: Path) -> tuple[Recipe, str]:
    """Return the recipe in a file, checked, and the text it was read from.

    Raises
    ------
    ReadError
        No file of text.
    RecipeError
        It holds no recipe, or one of a newer version.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ReadError(str(path), "is far too large for a recipe", "Give a recipe file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(str(path), f"cannot be read ({error})", "Give a recipe file") from error
    return Recipe.from_json(text).check(), text


def write_text(path: Path, text: str) -> None:
    """Write a recipe or a script; the file appears whole or not at all.

    Raises
    ------
    WriteError
        The system refuses.
    """
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WriteError(str(path), f"cannot be written ({error})", "Choose another folder") from error


def recipe_inputs(recipe: Recipe, files: Sequence[str]) -> list[Volume]:
    """Return the inputs of a recipe from files: labels where it was recorded from labels.

    A recipe that does not say what it was recorded from takes labels for all inputs but the first where a file has both.

    Raises
    ------
    ReadError, FormatError
        A file cannot be read or holds no image.
    """
    roles = [recipe.described(n).role or ("labels" if n else "image") for n in range(len(files))]
    return [volume_in(file, labels=role == "labels") for file, role in zip(files, roles, strict=True)]
