"""Write one page per technique from its contract, with an example picture made by running it.

Run it from anywhere: ``python docs/generate_techniques.py [ID...]``. The pages are not kept in the repository.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from technique_pictures import draw_example

from napari_lightbox.cli.show import LOCALITIES, allowed, shown
from napari_lightbox.contract import Parameter, Technique, registry
from napari_lightbox.errors import LightboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PAGES = HERE / "techniques"
PICTURES = HERE / "assets" / "techniques"
_SECTIONS = ("Returns", "Raises", "Notes", "References")


def main(chosen: list[str]) -> int:
    """Write the pages; return the number of techniques whose example failed."""
    techniques = [t for t in registry.find() if not chosen or t.id in chosen]
    if not chosen:
        for folder in (PAGES, PICTURES):
            shutil.rmtree(folder, ignore_errors=True)
    failed = 0
    for technique in techniques:
        start = time.perf_counter()
        picture, words = _example(technique)
        failed += picture is None
        page = PAGES / technique.family / f"{technique.id}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(_page(technique, picture, words)), encoding="utf-8")
        print(f"{technique.id:<36} {time.perf_counter() - start:6.2f} s")
    if not chosen:
        _indexes(techniques)
    print(f"{len(techniques)} pages, {failed} without a picture")
    return failed


def _example(technique: Technique) -> tuple[Path | None, str]:
    path = PICTURES / f"{technique.id}.png"
    try:
        words = draw_example(technique, path)
    except (LightboxError, ValueError, TypeError) as error:
        print(f"{technique.id}: no picture, {type(error).__name__}: {error}", file=sys.stderr)
        return None, ""
    return path, words


def _page(technique: Technique, picture: Path | None, words: str) -> Iterator[str]:
    doc = technique.documentation
    yield f"# {technique.title}\n"
    yield f"{_text(doc.summary)}\n"
    yield f"{_text(doc.description)}\n"
    if picture is not None:
        yield f"![What goes in and what comes out](../../assets/techniques/{picture.name})\n"
    if words:
        yield f"{words}\n"
    yield f"Id `{technique.id}`, family `{technique.family}`"
    yield (f", also called {', '.join(technique.synonyms)}" if technique.synonyms else "") + ".\n"
    yield "## Parameters\n"
    yield from _parameters(technique)
    yield "\n## Inputs and outputs\n"
    yield from _ports(technique)
    yield "\n## How it runs\n"
    yield f"{LOCALITIES[technique.locality_name]} ({technique.locality_name.replace('_', ' ')})\n"
    dimensions = " and ".join(f"{n}D" for n in technique.spatial)
    yield f"Works over {dimensions}; it is repeated over all other axes.\n"
    yield from _usage(technique)
    for name in _SECTIONS:
        if name in doc.sections:
            yield f"\n## {name}\n"
            yield _entries(doc.sections[name]) if name in ("Returns", "Raises") else _text(doc.sections[name])


def _parameters(technique: Technique) -> Iterator[str]:
    if not technique.parameters:
        yield "None."
        return
    yield "| Parameter | Default | Allowed | Meaning |"
    yield "|---|---|---|---|"
    for p in technique.parameters:
        meaning = _cell(technique.documentation.parameters.get(p.name, ""))
        yield f"| `{p.name}` | {_cell(shown(p.default))} | {_cell(allowed(p))} | {meaning}{_when(p)} |"


def _when(parameter: Parameter) -> str:
    if parameter.visible_if is None:
        return ""
    values = " or ".join(shown(v) for v in parameter.visible_if.values)
    return f" *Only with `{parameter.visible_if.parameter}` = {values}.*"


def _ports(technique: Technique) -> Iterator[str]:
    yield "| | Name | Role |"
    yield "|---|---|---|"
    for i in technique.inputs:
        own = "" if i.role.aligned else ", on its own grid"
        yield f"| in | `{i.name}` | {i.role.name}{' (several)' if i.role.many else ''}{own}{', optional' if i.optional else ''} |"
    for o in technique.outputs:
        only = f", only with `{o.only_if.parameter}`" if o.only_if else ""
        yield f"| out | `{o.name}` | {o.role.name}{only} |"


def _usage(technique: Technique) -> Iterator[str]:
    names = [i.name for i in technique.inputs if not i.optional]
    example = next((p for p in technique.parameters if p.default is not None and not p.advanced), None)
    files = " ".join(f"{n}.nii.gz" for n in names)
    main = "csv" if technique.outputs[0].role.name == "table" else "nii.gz"
    option = f" -p {example.name}={_typed(example)}" if example else ""
    keyword = f", {example.name}={example.default!r}" if example else ""
    yield "## Command line\n"
    yield f"```\nlightbox apply {technique.id} {files} -o result.{main}{option}\n```\n"
    yield "## Python\n"
    yield f'```python\nimport napari_lightbox as lb\n\nresult = lb.apply("{technique.id}", {", ".join(names)}{keyword})\n```'


def _typed(parameter: Parameter) -> str:
    value = parameter.default
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else shown(value)


def _indexes(techniques: list[Technique]) -> None:
    families = sorted({t.family for t in techniques})
    lines = ["# Techniques\n", f"{len(techniques)} techniques in {len(families)} families.\n"]
    for family in families:
        members = [t for t in techniques if t.family == family]
        title = family.replace("_", " ").capitalize()
        rows = [f"- [{t.title}]({{}}{t.id}.md): {_text(t.doc)}" for t in members]
        lines += [f"\n## [{title}]({family}/index.md)\n", *(row.format(f"{family}/") for row in rows)]
        page = "\n".join([f"# {title}\n", *(row.format("") for row in rows), ""])
        (PAGES / family / "index.md").write_text(page, encoding="utf-8")
    (PAGES / "index.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _text(text: str) -> str:
    """Return docstring text as Markdown: double backticks become single, brackets of arrays stay text."""
    return re.sub(r"``(.+?)``", r"`\1`", text).replace("[", "\\[").replace("]", "\\]")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _entries(text: str) -> str:
    """Return a numpy-style list of names and indented meanings as a Markdown list."""
    lines = [(line.strip(), bool(line) and not line[0].isspace()) for line in text.splitlines()]
    return _text("\n".join(f"- **{words}**:" if name else f"  {words}" for words, name in lines))


if __name__ == "__main__":
    raise SystemExit(1 if main(sys.argv[1:]) else 0)
