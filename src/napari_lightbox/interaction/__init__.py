"""Interactive segmentation without a window: changes, undo, a log that replays, a journal that survives a crash."""

from napari_lightbox.interaction.accept import changes, read_ids
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.history import Action, History
from napari_lightbox.interaction.journal import Journal, pending, recover
from napari_lightbox.interaction.log import InteractionLog
from napari_lightbox.interaction.recovery import Recovered
from napari_lightbox.interaction.replay import replay_log

__all__ = [
    "Action",
    "Delta",
    "History",
    "InteractionLog",
    "Journal",
    "Recovered",
    "changes",
    "pending",
    "read_ids",
    "recover",
    "replay_log",
]
