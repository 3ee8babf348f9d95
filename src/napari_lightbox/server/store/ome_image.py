"""The image behind a Zarr group or array, opened lazily: metadata now, chunks when a task asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import LightboxError, ReadError
from napari_lightbox.io.note import KEY, restored
from napari_lightbox.io.ome_zarr_metadata import array_axes, axes_of, content_of, geometry_of
from napari_lightbox.server.store.files import Files
from napari_lightbox.server.store.read_layer import lazy_array
from napari_lightbox.server.store.zarr_layout import Layout, layout_of
from napari_lightbox.server.store.zarr_reader import ZarrReader
from napari_lightbox.wire.hashing import hash_of

MOST_METADATA = 4 * 2**20
_FIRST = "0"


@dataclass(frozen=True)
class _Node:
    """An array or a group: what its metadata say."""

    path: str
    is_array: bool
    document: Mapping[str, Any]
    attributes: Mapping[str, Any]


@dataclass
class _Metadata:
    """Reads metadata and remembers what it read, so that other metadata mean another image."""

    files: Files
    seen: list[bytes] = field(default_factory=list)

    def node(self, path: str) -> _Node | None:
        """Return what lies at a path, None when it is nothing of Zarr."""
        if (document := self._json(path, "zarr.json")) is not None:
            attributes = document.get("attributes")
            is_array = document.get("node_type") == "array"
            return _Node(path, is_array, document, attributes if isinstance(attributes, Mapping) else {})
        if (document := self._json(path, ".zarray")) is not None:
            return _Node(path, True, document, self._json(path, ".zattrs") or {})
        if (document := self._json(path, ".zgroup")) is not None:
            return _Node(path, False, document, self._json(path, ".zattrs") or {})
        return None

    def identity(self) -> str:
        """Return text that follows from all that was read."""
        return hash_of(b"\n".join(self.seen))

    def _json(self, path: str, name: str) -> dict[str, Any] | None:
        content = self.files.get(_joined(path, name), MOST_METADATA)
        if content is None:
            return None
        self.seen.append(content)
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ReadError(self.files.name, f"has damaged metadata in {_joined(path, name)}", "Copy it again from its source")
        return document


def open_image(files: Files, identity: str, title: str) -> Volume:
    """Return the first image of a group, or the array itself.

    Parameters
    ----------
    files
        Where it lies.
    identity
        Text that is another one when the files have changed; the name of the lazy array follows from it.
    title
        What to call it when it has no name.

    Raises
    ------
    ReadError
        There is no image, or it is damaged or stored in a way that is not supported.
    """
    metadata = _Metadata(files, [identity.encode()])
    try:
        node = _image_node(metadata)
        return _plain(metadata, node, title) if node.is_array else _multiscale(metadata, node, title)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ReadError(files.name, f"has damaged metadata ({type(error).__name__})", "Copy it again from its source") from error
    except LightboxError as error:
        if isinstance(error, ReadError) or not files.name:
            raise
        raise type(error)(files.name, error.reason, error.way_out) from error


def _image_node(metadata: _Metadata) -> _Node:
    node = metadata.node("")
    if node is not None and "bioformats2raw.layout" in content_of(node.attributes):
        node = metadata.node(_FIRST)
    if node is None or not (node.is_array or "multiscales" in content_of(node.attributes)):
        raise ReadError(metadata.files.name, "holds no image of OME-Zarr", "Give the group inside it that holds the image")
    return node


def _plain(metadata: _Metadata, node: _Node, title: str) -> Volume:
    layout = layout_of(metadata.files.name, node.document)
    shape = layout.card.shape
    axes = array_axes(SimpleNamespace(metadata=SimpleNamespace(dimension_names=layout.names), ndim=len(shape), shape=shape))
    return Volume(_lazy(metadata, node.path, layout), Geometry(axes, shape), {"axes_guessed": True}, "image", title)


def _multiscale(metadata: _Metadata, node: _Node, title: str) -> Volume:
    content = content_of(node.attributes)
    multiscale = content["multiscales"][0]
    dataset = multiscale["datasets"][0]
    array = metadata.node(_joined(node.path, str(dataset["path"])))
    if array is None or not array.is_array:
        raise ReadError(metadata.files.name, f"lacks its array {str(dataset['path'])[:80]!r}", "Copy it again from its source")
    layout = layout_of(metadata.files.name, array.document)
    shape = layout.card.shape
    geometry = geometry_of(multiscale, dataset, axes_of(multiscale, len(shape)), shape)
    labels = "image-label" in content and layout.card.kind.kind in "biu"
    name = str(multiscale.get("name") or "").strip("/") or title
    volume = Volume(_lazy(metadata, array.path, layout), geometry, {}, "labels" if labels else "image", name)
    return restored(volume, node.attributes.get(KEY), stated="spacing")


def _lazy(metadata: _Metadata, path: str, layout: Layout) -> Any:
    identity = metadata.identity()
    return lazy_array(f"zarr-{identity}", layout.card, ZarrReader(metadata.files, path, layout, identity))


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
