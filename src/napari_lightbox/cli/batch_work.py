"""What a batch does to every file: run a recipe, or replay a log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from napari_lightbox.contract import Recipe
    from napari_lightbox.engine.control import Control
    from napari_lightbox.engine.request import Request
    from napari_lightbox.engine.runner import Outcome

Run: TypeAlias = "Callable[[Request, Control], Outcome]"


class Work(Protocol):
    """What is done to every file."""

    @property
    def text(self) -> str:
        """What tells this work from another one."""

    def own_files(self) -> list[str]:
        """Return the files to take when none are named."""

    def ending(self, files: Sequence[str]) -> str | None:
        """Return the ending of the results; None when it follows that of each file."""

    def run(self, files: Sequence[str], control: Control, run: Run | None = None) -> Mapping[str, Any]:
        """Return the outputs for one file and the further inputs that belong to it; `run` does single steps elsewhere."""


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

    @property
    def inner_steps(self) -> int:
        """How many steps run before the one that makes the result."""
        from napari_lightbox.contract.recipe_edits import effective, needed
        from napari_lightbox.contract.recipe_refs import written

        recipe = effective(self.recipe).recipe
        return len(needed(recipe, [written(recipe.target)])) - 1

    def run(self, files: Sequence[str], control: Control, run: Run | None = None) -> Mapping[str, Any]:
        """Run the recipe."""
        from napari_lightbox.engine.local import execute
        from napari_lightbox.engine.recipes import replay
        from napari_lightbox.io.recipe_files import recipe_inputs

        return replay(self.recipe, recipe_inputs(self.recipe, files), lazy=False, control=control, run=run or execute)


def read_work(path: Path, force: bool) -> Work:
    """Return what a file says is to be done.

    Raises
    ------
    LightboxError
        It is neither a recipe nor a log, or damaged.
    """
    from napari_lightbox.cli.log_work import LogWork
    from napari_lightbox.interaction.log_file import is_log
    from napari_lightbox.io.recipe_files import read_recipe

    return LogWork.read(path, force) if is_log(path) else RecipeWork(*read_recipe(path))
