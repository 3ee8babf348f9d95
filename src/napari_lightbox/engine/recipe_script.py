"""A recipe as a Python script that runs without napari."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from napari_lightbox import __version__
from napari_lightbox.contract import Recipe, Step, registry
from napari_lightbox.contract.recipe import Source
from napari_lightbox.contract.recipe_edits import effective, pruned
from napari_lightbox.contract.recipe_refs import parse
from napari_lightbox.contract.roles import ARRAY_ROLES, LABEL_ROLES
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.engine.bind import MASK
from napari_lightbox.errors import RecipeError

WIDTH = 120
_TAKEN = frozenset({"argparse", "lb", "main", "np", "process", "read", "sys"})

_HEAD = '''"""{title}.

Written by napari-lightbox {version}. Run it with

    python {file} {usage} -o OUT
"""

import argparse
import sys

{numpy}import napari_lightbox as lb


def process({arguments}):
    """Return the result for the inputs of the recipe."""
{body}


'''
_READ = '''def read(path, role, axes=""):
    """Return the volume in a file, the labels among several when labels are wanted."""
    volumes = [v for v in lb.read(path) if isinstance(v, lb.Volume)]
    if not volumes:
        sys.exit(f"{path} holds no image")
    volume = next((v for v in volumes if v.role == role), volumes[0])
    own = volume.geometry
    if axes and len(axes) == len(own.axes) and axes != own.axes:
        print(f"{path}: taking the axes {own.axes} as {axes}, as in napari", file=sys.stderr)
        volume = lb.Volume(volume.data, lb.Geometry(axes, own.shape, own.affine, own.units), role=volume.role, name=volume.name)
'''
_MAIN = '''

def main():
    """Read the files, run the steps, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
{declared}
    parser.add_argument("-o", "--output", required=True, help="{output}")
    options = parser.parse_args()
    result = process({values})
{finish}


if __name__ == "__main__":
    main()
'''


def script_of(recipe: Recipe, file: str = "script.py") -> str:
    """Return a script that does what the recipe does: ``python script.py IMAGE... -o OUT``.

    Images that were held in memory are read into memory, so that the pixels are the same to the last bit.

    Raises
    ------
    RecipeError
        The recipe takes or gives something that no file holds, such as a transform.
    """
    recipe = pruned(effective(recipe.check()).recipe)
    inputs = _inputs(recipe)
    names = _names([s.technique for s in recipe.steps], taken={*_TAKEN, *inputs})
    role = _result_role(recipe)
    lines = [_line(recipe, number, inputs, names, role) for number in range(len(recipe.steps))]
    in_memory = [not recipe.described(n).lazy for n in range(len(inputs))]
    # one way of reading for all inputs keeps the script short; a lazy input among others must not be loaded
    held = all(in_memory)
    head = _HEAD.format(
        title=recipe.name.replace('"', "'").replace("\\", "/") or ", then ".join(s.title for s in recipe.steps),
        version=__version__,
        file=file,
        usage=" ".join(name.upper() for name in inputs),
        numpy="import numpy as np\n\n" if held else "",
        arguments=", ".join(inputs),
        body="\n".join(
            [*lines, f"    return {_expression(recipe, recipe.result or f'step:{len(recipe.steps) - 1}', inputs, names)}"]
        ),
    )
    last = "    return volume.with_data(np.asarray(volume.data))\n" if held else "    return volume\n"
    return head + _READ + last + _main(recipe, inputs, role)


def _main(recipe: Recipe, inputs: Sequence[str], role: str) -> str:
    declared, values = [], []
    for number, name in enumerate(inputs):
        described = recipe.described(number)
        words = ", ".join(w for w in (described.name, described.in_words()) if w)
        told = f"recorded from {words}".replace("%", "%%") if words else "a file"
        declared.append(f"    parser.add_argument({_quoted(name)}, help={_quoted(told)})")
        axes = f", {_quoted(described.axes)}" if described.axes else ""
        values.append(f"read(options.{name}, {_quoted(_input_role(recipe, number))}{axes})")
    if role == "value":
        finish = '    with open(options.output, "w", encoding="utf-8") as file:\n        file.write(f"{result}\\n")'
        output = "text file for the value"
    else:
        finish = "    lb.write(options.output, result)"
        output = "file for the table, such as out.csv" if role == "table" else "file for the result, such as out.nii.gz"
    call = ", ".join(values)
    if len(call) > WIDTH - 25:
        call = "\n        " + ",\n        ".join(values) + ",\n    "
    return _MAIN.format(declared="\n".join(declared), values=call, finish=finish, output=output)


def _line(recipe: Recipe, number: int, inputs: Sequence[str], names: Sequence[str], role: str) -> str:
    """Return the call of one step, on several lines when it is long."""
    step = recipe.steps[number]
    arguments = [_quoted(step.technique), *(_argument(recipe, s, inputs, names) for s in step.inputs)]
    if step.options.get("mask") is not None:
        arguments.append(f"mask={_expression(recipe, step.options['mask'], inputs, names)}")
    if step.options.get("over"):
        arguments.append(f"over={_quoted(step.options['over'])}")
    if _is_awaited(recipe, number, role):
        arguments.append("compute=True")
    complete: Mapping[str, Any] = registry.get(step.technique).complete(step.parameters)
    arguments += [f"{key}={_literal(value)}" for key, value in complete.items()]
    text = f"    {names[number]} = lb.apply({', '.join(arguments)})"
    if len(text) <= WIDTH:
        return text
    return f"    {names[number]} = lb.apply(\n" + "".join(f"        {a},\n" for a in arguments) + "    )"


def _is_awaited(recipe: Recipe, number: int, role: str) -> bool:
    """Tell whether something that is no image is needed from a step before lazy images are."""
    if number == recipe.target.number and role in ("table", "value"):
        return True
    outputs = {o.name: o for o in registry.get(recipe.steps[number].technique).outputs}
    read = [
        ref.output for step in recipe.steps for ref in map(parse, step.sources()) if ref.kind == "step" and ref.number == number
    ]
    return any(name and not outputs[name].is_array for name in read)


def _argument(recipe: Recipe, source: Source, inputs: Sequence[str], names: Sequence[str]) -> str:
    if source is None:
        return "None"
    if isinstance(source, tuple):
        return f"[{', '.join(_expression(recipe, s, inputs, names) for s in source)}]"
    return _expression(recipe, source, inputs, names)


def _expression(recipe: Recipe, source: str, inputs: Sequence[str], names: Sequence[str]) -> str:
    ref = parse(source)
    if ref.kind == "value":
        return _literal(ref.value)
    if ref.kind == "input":
        return inputs[ref.number]
    technique = registry.get(recipe.steps[ref.number].technique)
    if len(technique.outputs) == 1:
        return names[ref.number]
    return f"{names[ref.number]}.{ref.output or technique.outputs[0].name}"


def _inputs(recipe: Recipe) -> list[str]:
    """Return a name for each input: what the technique that reads it first calls it."""
    uses = [_first_use(recipe, number) for number in range(recipe.input_count)]
    for number, spec in enumerate(uses):
        if spec is not None and spec.role.name not in ARRAY_ROLES:
            what = recipe.described(number).name or f"input {number + 1}"
            reason = f"is {spec.role.name} that no file of ours holds"
            raise RecipeError(what, reason, "Run the recipe in napari, or leave the steps that need it out")
    return _names(["image" if spec is None else spec.name for spec in uses], taken=set(_TAKEN))


def _first_use(recipe: Recipe, number: int) -> InputSpec | None:
    for step in recipe.steps:
        specs = registry.get(step.technique).inputs
        for spec, source in zip(specs, step.inputs, strict=False):
            given = source if isinstance(source, tuple) else (source,)
            if any(s is not None and _is_input(s, number) for s in given):
                return spec
    masked = any(s.options.get("mask") and _is_input(s.options["mask"], number) for s in recipe.steps)
    return MASK if masked else None


def _is_input(source: str, number: int) -> bool:
    ref = parse(source)
    return ref.kind == "input" and ref.number == number


def _input_role(recipe: Recipe, number: int) -> str:
    known = recipe.described(number).role
    spec = _first_use(recipe, number)
    return known or ("labels" if spec is not None and spec.role.name in LABEL_ROLES else "image")


def _names(wanted: Sequence[str], taken: set[str]) -> list[str]:
    """Return Python names, each once."""
    names: list[str] = []
    for text in wanted:
        base = re.sub(r"\W", "_", text, flags=re.ASCII)
        base = f"_{base}" if keyword.iskeyword(base) or base[:1].isdigit() else base
        found, count = base, 1
        while found in taken:
            count += 1
            found = f"{base}_{count}"
        taken.add(found)
        names.append(found)
    return names


def _result_role(recipe: Recipe) -> str:
    step: Step = recipe.steps[recipe.target.number]
    outputs = registry.get(step.technique).outputs
    role = next((o.role.name for o in outputs if o.name == recipe.target.output), outputs[0].role.name)
    if role in ARRAY_ROLES:
        return "image"
    if role not in ("table", "value"):
        raise RecipeError(
            step.title, f"gives {role}, which a script cannot write", "Choose an image, labels or a table as the result"
        )
    return role


def _literal(value: Any) -> str:
    """Return a parameter as Python code; infinities and NaN have no literal."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
