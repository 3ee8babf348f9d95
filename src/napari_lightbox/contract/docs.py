"""Read the parts of a numpy-style docstring that people see in forms and pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECTION = re.compile(r"^(?P<name>[A-Z][A-Za-z ]+)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(?P<names>[\w*, ]+?)(?: *:.*)?$")


@dataclass(frozen=True)
class Documentation:
    """A docstring in pieces."""

    summary: str
    description: str
    parameters: Mapping[str, str]
    sections: Mapping[str, str]


def read_docstring(text: str) -> Documentation:
    """Split a numpy-style docstring into summary, description, parameter help and sections."""
    clean = inspect.cleandoc(text) + "\n"
    marks = list(_SECTION.finditer(clean))
    head = clean[: marks[0].start()] if marks else clean
    summary, _, description = head.strip().partition("\n\n")
    sections = {
        mark["name"]: clean[mark.end() : after.start() if after else len(clean)].strip()
        for mark, after in zip(marks, [*marks[1:], None], strict=True)
    }
    parameters = _entries(sections.get("Parameters", ""))
    return Documentation(" ".join(summary.split()), description.strip(), parameters, sections)


def _entries(block: str) -> dict[str, str]:
    entries: dict[str, list[str]] = {}
    names: list[str] = []
    for line in block.splitlines():
        match = _ENTRY.match(line)
        if line and not line[0].isspace() and match:
            names = [n.strip() for n in match["names"].split(",")]
            entries.update({n: [] for n in names})
        else:
            for name in names:
                entries[name].append(line.strip())
    return {name: " ".join(lines).strip() for name, lines in entries.items()}
