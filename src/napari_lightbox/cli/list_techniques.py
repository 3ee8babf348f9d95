"""`lightbox list`: the techniques there are."""

from __future__ import annotations

import argparse
from typing import Any


def add_to(subcommands: Any) -> None:
    """Declare the subcommand."""
    parser = subcommands.add_parser("list", help="list the techniques", description="List the techniques, by family.")
    parser.add_argument("--family", help="only this family, such as denoise")
    parser.add_argument("--json", action="store_true", help="print the full contracts as a JSON array")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the techniques."""
    from napari_lightbox.contract import describe, registry
    from napari_lightbox.errors import UnknownTechniqueError

    found = registry.find(arguments.family)
    if not found and arguments.family:
        families = ", ".join(sorted({t.family for t in registry.find()}))
        raise UnknownTechniqueError("family", f"there is none called {arguments.family!r}", f"Choose one of {families}")
    if arguments.json:
        import json

        print(json.dumps([describe(t) for t in found], indent=2))
        return 0
    family = ""
    for technique in found:
        if technique.family != family:
            print(f"{'' if not family else chr(10)}{technique.family}")
            family = technique.family
        print(f"  {technique.id:<32} {technique.doc}")
    return 0
