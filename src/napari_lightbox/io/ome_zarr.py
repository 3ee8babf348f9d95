"""OME-Zarr 0.4 and 0.5: images with smaller copies, and their labels, read chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume, is_rgb
from napari_lightbox.errors import ReadError, WriteError
from napari_lightbox.io.atomic import replacing_folder
from napari_lightbox.io.failures import damaged, reading
from napari_lightbox.io.lazy import CHUNK_BYTES, lazy
from napari_lightbox.io.note import KEY, note_of, restored
from napari_lightbox.io.ome_zarr_metadata import array_axes, axes_of, content_of, geometry_of, group_attributes, multiscale_of
from napari_lightbox.io.pyramid import halved, halved_axes, halved_geometry, with_levels
from napari_lightbox.io.streaming import Progress, store
from napari_lightbox.io.world import arranged

_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
_LARGEST_CHUNK = 64 * 2**20


def read(path: Path) -> list[Volume]:
    """Read the images and then the labels of a group, each with its levels; nothing but metadata is loaded."""
    import zarr

    with reading(path):
        node = zarr.open(path, mode="r")
        if isinstance(node, zarr.Array):
            axes = array_axes(node)
            data = lazy(_Array(path, node), _chunks_of(node), path)
            return [Volume(data, Geometry(axes, tuple(node.shape)), {"axes_guessed": True}, "image", path.stem)]
        volumes = _group(path, node, path.name.removesuffix(".zarr").removesuffix(".ome"))
    if not volumes:
        raise ReadError(str(path), "is a Zarr group without an image in it", "Open the group inside it that holds the image")
    return volumes


def write(
    path: Path,
    volumes: Sequence[Volume],
    *,
    progress: Progress | None = None,
    version: Literal["0.4", "0.5"] = "0.5",
    pyramid: bool = True,
) -> None:
    """Write one image with any number of labels, chunk by chunk; `pyramid` adds smaller copies."""
    if version not in ("0.4", "0.5"):
        raise WriteError(str(path), f"OME-Zarr version {version!r} is not known", 'Use version="0.4" or "0.5"')
    images = [v for v in volumes if v.role == "image"] or list(volumes[:1])
    labels = [v for v in volumes if v is not images[0]]
    if len(images) > 1 or any(v.role != "labels" for v in labels):
        raise WriteError(str(path), "holds one image and its labels", "Write each further image to its own folder")
    stored = [_stored_form(path, v) for v in (images[0], *labels)]
    import zarr

    total = sum(v.data.size for v in stored)
    with replacing_folder(path, is_zarr) as folder:
        root = zarr.create_group(folder, zarr_format=2 if version == "0.4" else 3)
        done = 0.0
        names = _names(labels)
        if labels:
            group = root.create_group("labels", attributes=group_attributes({"labels": names}, version))
        for original, volume, name in zip((images[0], *labels), stored, ("", *names), strict=True):
            end = done + volume.data.size / total if total else 1.0
            _write_image(group.create_group(name) if name else root, volume, original, version, pyramid, progress, (done, end))
            done = end


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr group or array."""
    return any((folder / name).is_file() for name in _MARKS)


class _Array:
    """A Zarr array whose errors name the folder."""

    def __init__(self, path: Path, array: Any) -> None:
        self.path, self.array, self.shape = path, array, tuple(int(n) for n in array.shape)
        self.dtype, self.ndim = np.dtype(array.dtype).newbyteorder("="), len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        with reading(self.path):
            return np.asarray(self.array[key], self.dtype)


def _group(path: Path, group: Any, name: str) -> list[Volume]:
    attributes = dict(group.attrs)
    content = content_of(attributes)
    if "multiscales" in content:
        images = [_image(path, group, m, content, attributes, name) for m in content["multiscales"]]
        inside = _labels_in(path, group)
        return images + inside
    if "plate" in content:
        raise ReadError(str(path), "is a plate of many fields", "Open one field, such as A/1/0 inside it")
    if "well" in content:
        return [v for f in content["well"].get("images", ()) for v in _group(path, group[f["path"]], f"{name} {f['path']}")]
    if "bioformats2raw.layout" in content:
        names = sorted((k for k, _ in group.groups() if k.isdigit()), key=int)
        return [v for n in names for v in _group(path, group[n], f"{name} {n}" if len(names) > 1 else name)]
    if "labels" in content:
        return [v for n in content["labels"] for v in _group(path, group[n], str(n))]
    return []


def _labels_in(path: Path, group: Any) -> list[Volume]:
    if "labels" not in group:
        return []
    inside = group["labels"]
    names = content_of(dict(inside.attrs)).get("labels", ()) if hasattr(inside, "groups") else ()
    return [v for n in names for v in _group(path, inside[n], str(n))]


def _image(
    path: Path, group: Any, multiscale: Mapping[str, Any], content: Mapping[str, Any], attributes: Mapping[str, Any], name: str
) -> Volume:
    datasets = multiscale["datasets"]
    arrays = [group[d["path"]] for d in datasets]
    axes = axes_of(multiscale, arrays[0].ndim)
    if len(axes) != arrays[0].ndim:
        raise damaged(path, f"names {len(axes)} axes for {arrays[0].ndim} dimensions")
    levels = [lazy(_Array(path, a), _chunks_of(a), path, group.path, d["path"]) for a, d in zip(arrays, datasets, strict=True)]
    geometry = geometry_of(multiscale, datasets[0], axes, tuple(arrays[0].shape))
    labels = "image-label" in content and np.dtype(arrays[0].dtype).kind in "biu"
    metadata: dict[str, Any] = {"header": {"multiscale": dict(multiscale)}}
    names = [c.get("label") for c in content.get("omero", {}).get("channels", ())]
    metadata |= {"channels": names} if any(names) else {}
    volume = Volume(
        levels[0], geometry, metadata, "labels" if labels else "image", str(multiscale.get("name") or name).strip("/") or name
    )
    return with_levels(restored(volume, attributes.get(KEY), stated="spacing"), levels[1:], axes)


def _chunks_of(array: Any) -> tuple[int, ...]:
    """Return the chunks to read by: shards are opened once for all chunks in them."""
    chunks = tuple(int(n) for n in array.chunks)
    shards = getattr(array, "shards", None)
    size = int(np.prod(shards, dtype=np.int64)) * np.dtype(array.dtype).itemsize if shards else 0
    return tuple(int(n) for n in shards) if shards and size <= _LARGEST_CHUNK else chunks


def _stored_form(path: Path, volume: Volume) -> Volume:
    """Return the volume in the order that OME-Zarr asks for: time, channels and others, space."""
    if not {"y", "x"} <= set(volume.axes) or len(volume.axes) > 5:
        reason = f"OME-Zarr holds y, x and up to three more axes, the volume has {volume.axes!r}"
        raise WriteError(str(path), reason, "Select a part, or write .tif")
    if np.dtype(volume.dtype).kind not in "biufc":
        raise WriteError(str(path), f"OME-Zarr does not hold {volume.dtype} samples", "Convert it to a numeric dtype first")
    others = "".join(a for a in volume.axes if a not in "tczyx")
    return arranged(volume, "t" + others + "czyx")


def _names(labels: Sequence[Volume]) -> list[str]:
    """Return one folder name per labels volume."""
    names: list[str] = []
    for number, volume in enumerate(labels):
        clean = "".join(c if c.isalnum() or c in "-_." else "_" for c in volume.name).strip("._")
        base = clean or "labels"
        names.append(base if base not in names else f"{base}-{number}")
    return names


def _write_image(
    group: Any,
    stored: Volume,
    original: Volume,
    version: str,
    pyramid: bool,
    progress: Progress | None,
    span: tuple[float, float],
) -> None:
    import dask.array as da

    labels = stored.role == "labels"
    levels, steps = _levels(stored.geometry, labels) if pyramid else ([stored.geometry], [])
    sizes = np.cumsum([0.0, *(float(np.prod(g.shape)) for g in levels)])
    bounds = span[0] + (span[1] - span[0]) * sizes / max(sizes[-1], 1.0)
    chunks = _chunks(stored, is_rgb(original.axes, original.shape))
    before: Any = None
    for number, level in enumerate(levels):
        array = _create(group, str(number), level, stored.dtype, chunks, version)
        if number == 0:
            data = stored.data if hasattr(stored.data, "dask") else da.from_array(np.asarray(stored.data), chunks=array.chunks)
        else:
            along = tuple(i for i, a in enumerate(level.axes) if a in steps[number - 1])
            thick = tuple(c * 2 if i in along else c for i, c in enumerate(array.chunks))
            source = da.from_array(before, chunks=thick)
            data = source.map_blocks(halved, along, labels=labels, dtype=stored.dtype, chunks=_grid(level.shape, array.chunks))
        store(data.rechunk(array.chunks), array, progress, (bounds[number], bounds[number + 1]))
        before = array
    ome: dict[str, Any] = {"multiscales": [multiscale_of(original.name or "image", levels, version)]}
    if labels:
        ome["image-label"] = ({"version": version} if version == "0.4" else {}) | (
            {"source": {"image": "../../"}} if group.path else {}
        )
    group.update_attributes(group_attributes(ome, version, **{KEY: note_of(stored, original.axes)}))


def _levels(geometry: Geometry, labels: bool) -> tuple[list[Geometry], list[str]]:
    levels, steps = [geometry], []
    while axes := halved_axes(levels[-1]):
        levels.append(halved_geometry(levels[-1], axes, labels=labels))
        steps.append(axes)
    return levels, steps


def _grid(shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(min(c, n - i) for i in range(0, n, c)) or (0,) for n, c in zip(shape, chunks, strict=True))


def _chunks(volume: Volume, colour: bool) -> tuple[int, ...]:
    """Return the chunks to store: those of the data when they are reasonable, else planes of a few megabytes."""
    itemsize = np.dtype(volume.dtype).itemsize
    given = getattr(volume.data, "chunksize", None)
    if given is not None and 2**16 <= np.prod(given) * itemsize <= 16 * CHUNK_BYTES:
        return tuple(int(n) for n in given)
    sizes = dict(zip(volume.axes, volume.shape, strict=True))
    inner = {a: min(sizes[a], 1024) for a in "yx"} | ({"c": sizes["c"]} if colour else {})
    plane = int(np.prod([*inner.values()])) * itemsize
    inner["z"] = min(sizes.get("z", 1), max(1, CHUNK_BYTES // max(plane, 1)))
    return tuple(max(1, inner.get(a, 1)) for a in volume.axes)


def _create(group: Any, name: str, level: Geometry, dtype: Any, chunks: tuple[int, ...], version: str) -> Any:
    """Create an array: 0.4 with the Blosc that every reader knows, 0.5 with Zstandard and a checksum in each chunk."""
    options: dict[str, Any] = {}
    if version == "0.4":
        import numcodecs  # type: ignore[import-untyped]

        options["compressors"] = numcodecs.Blosc("zstd", 3, numcodecs.Blosc.SHUFFLE)
        options["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    else:
        import zarr.codecs

        options["compressors"] = zarr.codecs.ZstdCodec(level=3, checksum=True)
        options["dimension_names"] = list(level.axes)
    sizes = tuple(max(1, min(c, n)) for c, n in zip(chunks, level.shape, strict=True))
    return group.create_array(name, shape=level.shape, chunks=sizes, dtype=np.dtype(dtype).newbyteorder("="), **options)
