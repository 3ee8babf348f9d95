"""Build the navigation from the files, so that no page can be forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GUIDE = [
    "install",
    "first-steps",
    "first-hour",
    "finding-and-tables",
    "labels-and-seeds",
    "annotate",
    "pixel-classifier",
    "training",
    "interaction-log",
    "recipes",
    "command-line",
    "python",
    "lazy-data",
    "formats",
    "shortcuts",
    "server",
    "deploy",
]
DEVELOP = ["architecture", "add-a-technique", "testing", "threat-model"]


def on_config(config: Any) -> Any:
    """Set the navigation; called by mkdocs."""
    config["nav"] = [
        {"Home": "index.md"},
        {"Guide": _ordered("guide", GUIDE)},
        *([{"Techniques": _techniques()}] if (HERE / "techniques" / "index.md").is_file() else []),
        {"Develop": [*_ordered("develop", DEVELOP), {"Decisions": _pages("develop/decisions")}]},
        {"API": _pages("api")},
    ]
    return config


def _pages(folder: str) -> list[Any]:
    """Return all pages of a folder, its index first."""
    found = sorted((HERE / folder).glob("*.md"), key=lambda p: (p.stem != "index", p.stem))
    return [p.relative_to(HERE).as_posix() for p in found]


def _ordered(folder: str, names: list[str]) -> list[Any]:
    """Return the pages of a folder, those in `names` first."""
    rank = {f"{folder}/{name}.md": i for i, name in enumerate(names)}
    return sorted(_pages(folder), key=lambda page: (rank.get(page, len(rank)), page))


def _techniques() -> list[Any]:
    folders = sorted(p.name for p in (HERE / "techniques").iterdir() if p.is_dir())
    return ["techniques/index.md", *({name.replace("_", " ").capitalize(): _pages(f"techniques/{name}")} for name in folders)]
