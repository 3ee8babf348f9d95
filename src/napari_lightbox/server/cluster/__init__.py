"""The workers of a server: processes of its own, or a dask cluster that runs already."""

from napari_lightbox.server.cluster.runner import DistributedRunner
from napari_lightbox.server.cluster.scheduler import DistributedScheduler
from napari_lightbox.server.cluster.start import Cluster, start_cluster
from napari_lightbox.server.cluster.state import WorkerState

__all__ = ["Cluster", "DistributedRunner", "DistributedScheduler", "WorkerState", "start_cluster"]
