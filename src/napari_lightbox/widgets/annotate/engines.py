"""The engines of the Annotate dock: techniques that turn an image and seeds into labels.

An engine appears as soon as its technique is registered; nothing else in the dock names one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_lightbox.contract import Technique, registry
from napari_lightbox.errors import UnknownTechniqueError


@dataclass(frozen=True)
class Engine:
    """One engine.

    Parameters
    ----------
    id
        Technique that runs.
    name
        Short name for lists.
    least
        How many ids the seeds must hold.
    defaults
        Parameters that suit annotating better than the technique's own defaults.
    inputs
        Names of its inputs for the image and the seeds.
    """

    id: str
    name: str
    least: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, str] = ("image", "seeds")

    @property
    def technique(self) -> Technique:
        """The technique that runs."""
        return registry.get(self.id)

    @property
    def flat(self) -> bool:
        """Whether it sees one plane at a time."""
        return 3 not in self.technique.spatial

    @property
    def colour(self) -> bool:
        """Whether it takes colour pictures."""
        return self.technique.channels == "rgb"


ENGINES = (
    Engine("marker_controlled_watershed", "Watershed", defaults={"watershed_line": False}),
    Engine("random_walker", "Random walker", least=2, defaults={"beta": 1000.0}),
    Engine("region_growing", "Region growing"),
    Engine("graph_cut_voxel", "Graph cut", least=2),
    Engine("grabcut", "GrabCut", least=2),
    Engine("pixel_classifier", "Pixel classifier", least=2),
)


def engines() -> list[Engine]:
    """Return the engines whose technique is there and takes an image and seeds."""
    return [engine for engine in ENGINES if _is_there(engine)]


def _is_there(engine: Engine) -> bool:
    try:
        technique = engine.technique
    except UnknownTechniqueError:
        return False
    return tuple(spec.name for spec in technique.inputs[:2]) == engine.inputs
