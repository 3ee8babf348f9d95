"""A colour video of moving things in front of a still scene, with the mask of each thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.samples.bodies import Phantom, smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLOURS = np.array([[225, 70, 60], [60, 190, 90], [70, 110, 235], [235, 200, 60], [200, 90, 210], [80, 210, 215]], np.float32)


def moving_objects(
    frames: int = 40,
    shape: tuple[int, int] = (120, 160),
    *,
    count: int = 3,
    size: float = 10.0,
    speed: float = 2.5,
    flicker: float = 0.03,
    noise: float = 4.0,
    seed: int = 0,
) -> Phantom:
    """Return a colour video (t, y, x, c; uint8) and the label of the object seen at each pixel.

    Parameters
    ----------
    frames, shape
        Number of frames and their height and width.
    count
        Number of objects; discs and squares take turns.
    size
        Half width of the objects in pixels.
    speed
        Mean speed in pixels per frame; objects bounce off the border and pass in front of one another.
    flicker
        Relative change of the light from frame to frame.
    noise
        Standard deviation of the camera noise in grey levels.
    seed
        Seed of everything random.
    """
    rng = np.random.default_rng(seed)
    scene = _scene(rng, shape)
    positions = _bounce(rng, frames, count, shape, size, speed)
    labels = np.zeros((frames, *shape), np.int32)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for index in range(count):
        dy = np.abs(rows[None] - positions[:, index, 0, None, None])
        dx = np.abs(columns[None] - positions[:, index, 1, None, None])
        labels[(dy**2 + dx**2 < size**2) if index % 2 == 0 else (np.maximum(dy, dx) < 0.85 * size)] = index + 1
    palette = _COLOURS[np.arange(count) % len(_COLOURS)]
    video = np.concatenate([np.zeros((1, 3), np.float32), palette])[labels]
    video = np.where(labels[..., None] > 0, video, scene[None])
    light = (1 + flicker * np.sin(np.arange(frames) * 0.7))[:, None, None, None].astype(np.float32)
    video = video * light + noise * rng.standard_normal(video.shape, dtype=np.float32)
    units = ("s", "pixel", "pixel")
    geometry = Geometry.of("tyx", labels.shape, {"t": 0.04}, None, units)
    colour = Geometry.of("tyxc", video.shape, {"t": 0.04}, None, (*units, "pixel"))
    return Phantom(
        Volume(np.clip(np.rint(video), 0, 255).astype(np.uint8), colour, {"frame_rate": 25.0}, name="moving objects"),
        Volume(labels, geometry, {"count": count, "positions": positions.tolist()}, role="labels", name="moving object labels"),
    )


def _scene(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a soft, textured background that no object matches in colour."""
    soft = np.stack([smooth_noise(rng, shape, (12, 12)) for _ in range(3)], axis=-1)
    grain = smooth_noise(rng, shape, (1, 1))[..., None]
    scene: NDArray[np.float32] = np.clip(110 + 14 * soft + 8 * grain, 0, 255)
    return scene


def _bounce(
    rng: np.random.Generator, frames: int, count: int, shape: tuple[int, int], size: float, speed: float
) -> NDArray[np.float64]:
    """Return positions (frame, object, y and x) that stay inside the picture."""
    room = np.maximum(np.array(shape) - 2 * size, 1.0)
    start = rng.uniform(0, 1, (count, 2)) * room
    direction = rng.uniform(0, 2 * np.pi, count)
    heading = np.stack([np.sin(direction), np.cos(direction)], axis=-1)
    velocity = (speed * rng.uniform(0.7, 1.3, count))[:, None] * heading
    travelled = np.mod(start + np.arange(frames)[:, None, None] * velocity, 2 * room)
    positions: NDArray[np.float64] = size + np.where(travelled > room, 2 * room - travelled, travelled)
    return positions
