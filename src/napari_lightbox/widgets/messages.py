"""Errors and hints as napari notifications: what is wrong, why, and the way out."""

from __future__ import annotations

from napari.utils.notifications import ErrorNotification, Notification, NotificationSeverity, notification_manager

from napari_lightbox.errors import LightboxError


def show_failure(error: BaseException) -> None:
    """Show an error: ours as one sentence a person can act on, any other with its traceback at hand."""
    if isinstance(error, LightboxError):
        notification_manager.dispatch(Notification(str(error), NotificationSeverity.ERROR))
    else:
        notification_manager.dispatch(ErrorNotification(error))


def show_hint(text: str) -> None:
    """Show a short message that needs no action."""
    notification_manager.dispatch(Notification(text, NotificationSeverity.INFO))
