"""The client: runs techniques on a Lightbox server; needs neither Qt nor torch."""

from napari_lightbox.client.answers import JobCard
from napari_lightbox.client.connect import connect
from napari_lightbox.client.remote_job import RemoteJob
from napari_lightbox.client.remote_runner import RemoteRunner

__all__ = ["JobCard", "RemoteJob", "RemoteRunner", "connect"]
