"""What the server keeps: arrays that clients send, arrays that jobs make, and images that stay where they are."""

from napari_lightbox.server.store.disk import Disk
from napari_lightbox.server.store.objects import Objects
from napari_lightbox.server.store.references import Reference, References
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.server.store.results import Results
from napari_lightbox.server.store.source import Source
from napari_lightbox.server.store.sources import Sources

__all__ = ["Disk", "Objects", "Reference", "References", "ResultArray", "Results", "Source", "Sources"]
