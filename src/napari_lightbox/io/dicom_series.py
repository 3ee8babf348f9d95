"""From frames to volumes: grouped by series and plane, sorted along the normal, gaps and repeats noticed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.io.dicom_headers import Frame

_APART = 1e-3
_TILT_DEGREES = 0.5
_SPLITS = ("segment", "echo", "b-value", "image type")
_TIMES = ("time", "acquisition", "trigger", "acquired", "content", "instance")


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames of one volume: ``frames[t][z]``, or one row of frames without known positions."""

    frames: tuple[tuple[Frame, ...], ...]
    placed: bool
    part: str = ""
    timed: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def first(self) -> Frame:
        """The frame at index zero."""
        return self.frames[0][0]


def stacks_of(frames: Sequence[Frame]) -> list[Stack]:
    """Return one stack for each volume in `frames`, in the order in which they appear."""
    groups: dict[Any, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[_group_key(frame)].append(frame)
    return [stack for group in groups.values() for stack in _stacked(group)]


def patient_matrix(stack: Stack) -> NDArray[np.float64]:
    """Return the matrix over x, y, z from index to patient (LPS) coordinates.

    A single slice has the step that the file states between slices, else one unit, as ITK has it: its thickness says how
    much it averages, not where a next slice would lie.
    """
    first, last, count = stack.first, stack.frames[0][-1], len(stack.frames[0])
    rows, columns = first.spacing or (1.0, 1.0)
    along = np.array(first.orientation or (1, 0, 0, 0, 1, 0), float)
    origin = np.array(first.position or (0, 0, 0), float)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 3] = along[:3] * columns, along[3:] * rows, origin
    if count > 1 and stack.placed and first.position and last.position:
        matrix[:3, 2] = (np.array(last.position) - origin) / (count - 1)
    else:
        matrix[:3, 2] = np.cross(along[:3], along[3:]) * (first.step or 1.0)
    return matrix


def _group_key(frame: Frame) -> Any:
    orientation = None if frame.orientation is None else tuple(np.round(frame.orientation, 4) + 0.0)
    spacing = None if frame.spacing is None else tuple(np.round(frame.spacing, 5))
    alone = (str(frame.path),) if not frame.series else ()
    return frame.series, frame.pixels.kind, orientation, spacing, frame.position is not None, alone


def _stacked(frames: list[Frame]) -> list[Stack]:
    if frames[0].position is None or frames[0].orientation is None:
        return [_unplaced(frames)]
    at = _positions(frames)
    slots: dict[int, list[Frame]] = defaultdict(list)
    for frame, slot in zip(frames, at, strict=True):
        slots[slot].append(frame)
    columns = [slots[s] for s in sorted(slots)]
    if max(map(len, columns)) == 1:
        return [_checked([[c[0] for c in columns]])]
    return _repeated(frames, columns)


def _unplaced(frames: list[Frame]) -> Stack:
    """Stack frames without position: by slice location where all have one, else by number."""
    locations = [f.keys.get("location") for f in frames]
    by_place = len(frames) > 1 and None not in locations and len(set(locations)) == len(frames)
    ordered = sorted(frames, key=lambda f: (f.keys["location"] if by_place else 0, f.keys["instance"], f.number))
    text = "The files state no position in the patient; frames are in the order of their number"
    return Stack((tuple(ordered),), placed=False, warnings=(text,) if len(frames) > 1 else ())


def _positions(frames: Sequence[Frame]) -> list[int]:
    """Return the number of each frame's place along the normal; frames closer than a micrometre share one."""
    along = np.array(frames[0].orientation)
    normal = np.cross(along[:3], along[3:])
    depth = np.array([np.dot(f.position, normal) for f in frames])  # type: ignore[arg-type]
    order = np.argsort(depth, kind="stable")
    steps = np.concatenate([[0], np.cumsum(np.diff(depth[order]) > _APART)])
    places = np.empty(len(frames), int)
    places[order] = steps
    return [int(p) for p in places]


def _repeated(frames: list[Frame], columns: list[list[Frame]]) -> list[Stack]:
    """Tell repeats at one position apart: volumes of their own (echoes, segments, ...) or time points."""
    for key in _SPLITS:
        values = {f.keys.get(key) for f in frames}
        if len(values) > 1 and None not in values:
            parts = [[f for f in frames if f.keys[key] == v] for v in sorted(values, key=lambda v: (str(type(v)), v))]
            return [_named(s, f"{key} {_short(p[0].keys[key])}") for p in parts for s in _stacked(p)]
    if len({len(c) for c in columns}) == 1:
        for key in _TIMES:
            if all(_distinct([f.keys.get(key) for f in c]) for c in columns):
                rows = [sorted(c, key=lambda f: f.keys[key]) for c in columns]
                return [_checked([list(moment) for moment in zip(*rows, strict=True)], timed=key)]
    acquisitions = {f.keys.get("acquisition") for f in frames}
    if len(acquisitions) > 1 and None not in acquisitions:
        parts = [[f for f in frames if f.keys["acquisition"] == a] for a in sorted(acquisitions)]  # type: ignore[type-var]
        return [_named(s, f"acquisition {_short(p[0].keys['acquisition'])}") for p in parts for s in _stacked(p)]
    columns = [sorted(c, key=lambda f: (f.keys["instance"], str(f.path))) for c in columns]
    layers = [[c[i] for c in columns if len(c) > i] for i in range(max(map(len, columns)))]
    text = "Several slices lie at one position and nothing tells them apart; they are split in the order of their number"
    return [_named(_checked([layer], warnings=(text,)), f"repeat {i + 1}") for i, layer in enumerate(layers)]


def _distinct(values: list[Any]) -> bool:
    return None not in values and len(set(values)) == len(values)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named(stack: Stack, part: str) -> Stack:
    both = f"{part} {stack.part}".strip()
    return Stack(stack.frames, stack.placed, both, stack.timed, stack.warnings)


def _checked(frames: list[list[Frame]], timed: str = "", warnings: tuple[str, ...] = ()) -> Stack:
    """Make a stack and say what is odd about its slices."""
    stack = Stack(tuple(tuple(row) for row in frames), placed=True, timed=timed)
    found = [*warnings, *_gaps(frames[0])]
    matrix = patient_matrix(stack)
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    step = matrix[:3, 2]
    cosine = abs(np.dot(normal, step)) / (np.linalg.norm(normal) * np.linalg.norm(step))
    tilt = float(np.degrees(np.arccos(min(1.0, cosine))))
    if tilt > _TILT_DEGREES:
        found.append(f"Slices are shifted against each other (gantry tilt of {tilt:.1f} degrees); the affine carries the shear")
    return Stack(stack.frames, True, timed=timed, warnings=tuple(found))


def _gaps(frames: Sequence[Frame]) -> list[str]:
    if len(frames) < 3:
        return []
    places = np.array([f.position for f in frames], float)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    usual = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - usual) > max(0.05 * usual, 0.01))
    texts = []
    for i in odd:
        lost = round(float(steps[i]) / usual) - 1
        whole = lost >= 1 and abs(steps[i] - (lost + 1) * usual) < 0.1 * usual
        what = f"{lost} missing" if whole else "an uneven step"
        texts.append(
            f"Between slices {i} and {i + 1}: {what} ({steps[i]:.3f} instead of {usual:.3f} mm); positions beyond are approximate"
        )
    return texts
