"""The Server dock: connect, see how the server is, follow its runs, and bring their results here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QMessageBox

from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.errors import AccessError, LightboxError
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.connections import Connections, Opened
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.outages import back_again, tell_failure
from napari_lightbox.widgets.places import places
from napari_lightbox.widgets.remote_run import RemoteRun
from napari_lightbox.widgets.results import Origin
from napari_lightbox.widgets.server_form import Entry
from napari_lightbox.widgets.server_news import News, ServerNews
from napari_lightbox.widgets.server_panel import ServerPanel
from napari_lightbox.widgets.server_rows import UNFINISHED, input_name
from napari_lightbox.widgets.showing import Limits, show_all

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_lightbox.client.remote_runner import RemoteRunner

NAME = "Server"
_NOT_KEPT = "The token is kept for this session only, since this system has no keyring that could keep it."
_LOSES = "Its result is deleted on the server. Layers that show it lose what was not fetched yet."


class ServerDock(Docked):
    """One server at a time: the one whose address is chosen."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(NAME)
        # napari hands plugins a proxy, which layers compare as another viewer
        self._viewer: Viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.panel = ServerPanel(self, self._viewer.theme)
        self.form = self.panel.form
        self.news = ServerNews()
        self._tasks: list[Task] = []
        self._remote: list[RemoteRun] = []
        self._last: News | None = None
        self._connect()
        self.form.show_known(places().known)
        self._follow_place()

    @property
    def runner(self) -> RemoteRunner | None:
        """What runs requests on the chosen server, None while it is not connected."""
        return places().runner(self.form.chosen())

    @property
    def busy(self) -> bool:
        """Whether something the user asked for is under way."""
        return any(task.running for task in self._tasks) or any(remote.busy for remote in self._remote)

    def enter(self) -> None:
        """Connect to the server that the form names."""
        entry = self.form.entry()
        self.form.enable(False)
        self._say("Connecting…")
        task = self._task(partial(_enter, places().connections, entry), "connect")
        task.finished.connect(partial(self._entered, entry))
        task.failed.connect(self._shut_out)
        task.start()

    def leave(self) -> None:
        """Part from the server; what it runs goes on."""
        places().leave(self.form.chosen())
        self._say("Not connected. What the server runs goes on.")

    def open_result(self) -> None:
        """Bring the result of the chosen run into the viewer."""
        runner, job = self.runner, self.panel.jobs.selected()
        if runner is not None and job is not None and self.panel.open.isEnabled():
            remote = RemoteRun(self._viewer, self.panel.bar, self._show)
            self._remote = [*(r for r in self._remote if r.busy), remote]
            remote.attach(runner, job)
            self._offer()

    def delete_run(self) -> None:
        """Stop the chosen run, and free what it holds."""
        yes = QMessageBox.StandardButton.Yes
        if QMessageBox.question(self, "Delete the run", _LOSES, yes | QMessageBox.StandardButton.Cancel) == yes:
            self._ask_server("delete")

    def shut_down(self) -> None:
        """Stop asking; runs go on."""
        self.news.stop()
        for task in self._tasks:
            task.release()
        for remote in self._remote:
            remote.release()
        super().shut_down()

    def showEvent(self, event: QEvent) -> None:
        """Ask while the dock is in sight."""
        super().showEvent(event)
        self.news.watch(True)

    def hideEvent(self, event: QEvent) -> None:
        """Ask no more while it is not."""
        super().hideEvent(event)
        self.news.watch(False)

    def _connect(self) -> None:
        panel, form = self.panel, self.form
        form.asked.connect(self.enter)
        form.turned.connect(self._follow_place)
        form.forgot.connect(self._forget_server)
        panel.leave.clicked.connect(self.leave)
        panel.open.clicked.connect(self.open_result)
        panel.jobs.doubleClicked.connect(lambda _: self.open_result())
        panel.jobs.chosen.connect(self._offer)
        panel.cancel.clicked.connect(lambda: self._ask_server("cancel"))
        panel.delete.clicked.connect(self.delete_run)
        panel.bar.failed.connect(tell_failure)
        panel.bar.failed.connect(lambda _: self._offer())
        self.news.told.connect(self._tell)
        self.news.missed.connect(self._miss)
        places().follow(self._follow_known, self.lifeline)
        self.lifeline.connect(self._viewer.events.theme, self._follow_theme)
        self.lifeline.at_end(panel.bar.drop)

    def _entered(self, entry: Entry, opened: Opened) -> None:
        self.form.enable(True)
        self.form.taken(opened.address)
        self._say("" if opened.kept else _NOT_KEPT)
        places().entered(opened, entry.name)

    def _shut_out(self, error: BaseException) -> None:
        self.form.enable(True)
        self._say(str(error), warning=True)
        (self.form.token if isinstance(error, AccessError) else self.form.address).setFocus()

    def _forget_server(self) -> None:
        address = self.form.chosen()
        self.form.address.setEditText("")
        places().forget(address)

    def _follow_known(self) -> None:
        self.form.show_known(places().known)
        self._follow_place()

    def _follow_place(self) -> None:
        """Show the server whose address is chosen now."""
        address, runner = self.form.chosen(), self.runner
        known = address in [server.address for server in places().known]
        self.form.show_state(connected=runner is not None, known=known, name=places().name(address))
        self.panel.show_connection(places().name(address), runner)
        if runner is None:
            self._last = None
        self.news.follow(runner)

    def _tell(self, news: News) -> None:
        if self._last is None and self.panel.warns:
            self._say("")
        self._last = news
        back_again(self.form.chosen())
        self.panel.show_news(news, datetime.now().astimezone())
        self._offer()

    def _miss(self, error: BaseException) -> None:
        self._last = None
        self._say(str(error), warning=True)
        self.panel.grey_out()
        self._offer()
        tell_failure(error)
        if isinstance(error, AccessError):
            places().leave(self.form.chosen())

    def _offer(self) -> None:
        """Offer what can be done with the chosen run."""
        chosen = self.panel.jobs.selected()
        status = next((card.status for card in self._last.jobs if card.id == chosen), None) if self._last is not None else None
        self.panel.open.setEnabled(status in ("running", "done") and not self.panel.bar.busy)
        self.panel.cancel.setEnabled(status in UNFINISHED)
        self.panel.delete.setEnabled(status is not None)

    def _ask_server(self, what: str) -> None:
        runner, job = self.runner, self.panel.jobs.selected()
        if runner is None or job is None:
            return
        task = self._task(partial(_ask, runner, what, job), what)
        task.finished.connect(lambda _: self.news.ask())
        task.failed.connect(tell_failure)
        task.start()

    def _show(self, technique: str, outcome: Outcome, origin: Origin, limits: Limits | None) -> list[Layer]:
        try:
            layers, said = show_all(self._viewer, registry.get(technique), outcome, origin, limits, self)
        except LightboxError as error:
            self.panel.bar.message.setText(str(error))
            tell_failure(error)
            return []
        for layer in layers:
            layer.name = f"{input_name(outcome.provenance)} {layer.name}".strip()
        self.panel.bar.message.setText(said)
        self._offer()
        return layers

    def _follow_theme(self, event: Any = None) -> None:
        self.panel.use_theme(self._viewer.theme)

    def _say(self, text: str, *, warning: bool = False) -> None:
        self.panel.say(text, warning=warning)

    def _task(self, call: Callable[[Control], Any], name: str) -> Task:
        task = Task(call, name)
        self._tasks = [t for t in self._tasks if t.running] + [task]
        return task


def open_server_dock(viewer: Viewer) -> ServerDock:
    """Open the dock, or bring the one that is open to the front."""
    present = next((w for w in viewer.window.dock_widgets.values() if isinstance(w, ServerDock)), None)
    if present is None:
        present = ServerDock(viewer)
        viewer.window.add_dock_widget(present, name=NAME, area="right", tabify=True)
    outer = present.parent()
    outer.show()
    outer.raise_()
    return present


def _enter(connections: Connections, entry: Entry, control: Control) -> Opened:
    control.check()
    return connections.open(entry.address, entry.token, entry.certificate)


def _ask(runner: RemoteRunner, what: str, job: str, control: Control) -> None:
    control.check()
    getattr(runner, what)(job)
