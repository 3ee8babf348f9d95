"""All samples by name: title, where they come from, how to load them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from napari_lightbox.errors import ReadError
from napari_lightbox.samples.brain_mri import brain_mri
from napari_lightbox.samples.cells import cells
from napari_lightbox.samples.moving_objects import moving_objects
from napari_lightbox.samples.pictures import PICTURES, STACKS, picture, stack
from napari_lightbox.samples.real_mri import real_mri
from napari_lightbox.samples.thorax_ct import thorax_ct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from napari_lightbox.axes import Volume

Kind = Literal["MRI", "CT", "microscopy", "video", "picture"]


@dataclass(frozen=True)
class Sample:
    """One sample.

    Parameters
    ----------
    name
        Key in `SAMPLES`, a Python identifier.
    title
        Name shown to people.
    kind
        What it is a picture of.
    loader
        Returns the volumes, the image first, then its ground truth where there is one.
    provenance
        Who made it and under which licence.
    """

    name: str
    title: str
    kind: Kind
    loader: Callable[[], list[Volume]]
    provenance: str

    def load(self) -> list[Volume]:
        """Return the volumes."""
        return self.loader()


_OWN = "Computed by napari-lightbox, BSD-3-Clause"
_NIBABEL = "Test data of nibabel, MIT / PDDL"


def _phantom(make: Callable[..., tuple[Volume, Volume]], *arguments: Any, **options: Any) -> Callable[[], list[Volume]]:
    return lambda: list(make(*arguments, **options))


def _pictures() -> Iterator[Sample]:
    for name, (title, origin) in PICTURES.items():
        yield Sample(name, title, "picture", partial(picture, name), f"{origin} (scikit-image)")
    for name, (_, title, origin) in STACKS.items():
        yield Sample(name, title, "picture", partial(stack, name), f"{origin} (scikit-image)")


_ALL = [
    Sample("brain_mri", "Brain MRI phantom with tissues", "MRI", _phantom(brain_mri), _OWN),
    Sample("real_brain_mri", "Brain MRI, oblique, two time points", "MRI", partial(real_mri, "example4d.nii.gz"), _NIBABEL),
    Sample("real_anatomical_mri", "Brain MRI, small T1", "MRI", partial(real_mri, "anatomical.nii"), _NIBABEL),
    Sample("real_functional_mri", "Functional MRI, 20 time points", "MRI", partial(real_mri, "functional.nii"), _NIBABEL),
    Sample("thorax_ct", "Thorax CT phantom with organs", "CT", _phantom(thorax_ct), _OWN),
    Sample("cells_2d", "Nuclei 2D with labels", "microscopy", _phantom(cells), _OWN),
    Sample("cells_3d", "Nuclei 3D with labels", "microscopy", _phantom(cells, (40, 160, 160), count=70), _OWN),
    Sample("cells_time", "Nuclei over time with labels", "microscopy", _phantom(cells, (160, 160), count=30, frames=24), _OWN),
    Sample("moving_objects", "Video of moving objects with labels", "video", _phantom(moving_objects), _OWN),
    *_pictures(),
]
SAMPLES: Mapping[str, Sample] = {sample.name: sample for sample in _ALL}


def sample(name: str) -> Sample:
    """Return the sample of this name.

    Raises
    ------
    ReadError
        There is none.
    """
    if name not in SAMPLES:
        raise ReadError("sample", f"there is none called {name!r}", f"Choose one of {', '.join(SAMPLES)}")
    return SAMPLES[name]
