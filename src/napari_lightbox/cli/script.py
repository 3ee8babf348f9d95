"""`lightbox script`: print a recipe as a Python script."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser(
        "script",
        help="print a recipe as a Python script",
        description="Print a Python script that does what a recipe does, without napari: python script.py IMAGE... -o OUT",
    )
    parser.add_argument("recipe", metavar="RECIPE.json", type=Path, help="a recipe saved from napari or written by hand")
    parser.add_argument("-o", "--output", metavar="OUT.py", type=Path, help="write it to a file instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the script."""
    from napari_lightbox.engine.recipe_script import script_of
    from napari_lightbox.io.recipe_files import read_recipe, write_text

    recipe, _ = read_recipe(arguments.recipe)
    if arguments.output is None:
        sys.stdout.write(script_of(recipe))
    else:
        write_text(arguments.output, script_of(recipe, arguments.output.name))
    return 0
