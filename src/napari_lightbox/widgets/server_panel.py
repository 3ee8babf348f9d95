"""What the Server dock shows, and where."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_lightbox.widgets.gauge_view import GaugeView
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.run_bar import RunBar
from napari_lightbox.widgets.server_form import ServerForm
from napari_lightbox.widgets.server_news import News
from napari_lightbox.widgets.server_rows import disk_line, job_rows, older_line, summary, worker_rows
from napari_lightbox.widgets.theme import theme_colours

if TYPE_CHECKING:
    from napari_lightbox.client.remote_runner import RemoteRunner

_MOST_WORKERS = 4


class ServerPanel:
    """The form, the state of the cluster, the runs and what can be done with them."""

    def __init__(self, home: QWidget, theme: str) -> None:
        self._theme = theme
        self._name = ""
        self.warns = False
        self.form = ServerForm()
        self.head = PlainLabel(wraps=False)
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.leave = QPushButton("Disconnect")
        self.note = PlainLabel()
        self.summary, self.disk = QLabel(), QLabel()
        self.workers = GaugeView(("Worker", "Busy", "Memory"), theme, selectable=False)
        self.jobs = GaugeView(("Run", "State", "Started"), theme)
        self.older = QLabel()
        self.open, self.cancel, self.delete = QPushButton("Open result"), QPushButton("Cancel"), QPushButton("Delete…")
        self.bar = RunBar()
        self.details = QWidget()
        self._lay_out(home)

    def show_connection(self, name: str, runner: RemoteRunner | None) -> None:
        """Show whether there is a connection."""
        connected = runner is not None
        for widget in (self.head, self.leave, self.details):
            widget.setVisible(connected)
        if runner is None:
            return
        self._name = name
        self.head.setText(f"● Connected to {name}")
        self.head.setToolTip(f"{runner.url}, napari-lightbox {runner.greeting.version}")

    def show_news(self, news: News, now: datetime) -> None:
        """Show what the server tells."""
        self.details.setEnabled(True)
        self.head.setText(f"● Connected to {self._name}")
        self.summary.setText(summary(news.cluster))
        self.disk.setText(disk_line(news.cluster))
        self.workers.show_rows(worker_rows(news.cluster))
        self.workers.fit_rows(1, _MOST_WORKERS)
        self.jobs.show_rows(job_rows(news.jobs, now))
        self.older.setText(older_line(news.older))
        self.older.setVisible(bool(news.older))

    def grey_out(self) -> None:
        """Show that what stands there may be old."""
        self.details.setEnabled(False)
        self.head.setText(f"○ {self._name} does not answer")

    def say(self, text: str, *, warning: bool = False) -> None:
        """Say something below the form."""
        self.warns = warning
        self.note.setText(text)
        self.note.setVisible(bool(text))
        colour = theme_colours(self._theme)["warning" if warning else "text"]
        self.note.setStyleSheet(f"color: {colour.name()}")

    def use_theme(self, theme: str) -> None:
        """Take the colours of another theme of napari."""
        self._theme = theme
        self.workers.use_theme(theme)
        self.jobs.use_theme(theme)
        self.say(self.note.text(), warning=self.warns)

    def _lay_out(self, home: QWidget) -> None:
        self.open.setToolTip("<qt>Bring the result into the viewer, the visible slice first.</qt>")
        self.cancel.setToolTip("Stop at the next chunk")
        self.delete.setToolTip("Free what the run holds on the server")
        self.older.setToolTip("<qt>In Python <i>napari_lightbox.connect(address).jobs()</i> lists all of them.</qt>")
        for button in (self.bar.run, self.bar.cancel, self.bar.reset, self.bar.help):
            button.hide()
        for table, column in ((self.workers, 1), (self.workers, 2), (self.jobs, 2)):
            table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.jobs.setMinimumHeight(110)
        head, buttons = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.head, 1)
        head.addWidget(self.leave)
        buttons.addWidget(self.open, 2)
        buttons.addWidget(self.cancel, 1)
        buttons.addWidget(self.delete, 1)
        inner = QVBoxLayout(self.details)
        inner.setContentsMargins(0, 0, 0, 0)
        for part in (self.summary, self.workers, self.disk, self.jobs, self.older):
            inner.addWidget(part, 1 if part is self.jobs else 0)
        inner.addLayout(buttons)
        whole = QVBoxLayout(home)
        whole.addWidget(self.form)
        whole.addLayout(head)
        whole.addWidget(self.note)
        whole.addWidget(self.details, 1)
        whole.addWidget(self.bar)
        whole.addStretch(0)
        self.say("")
        home.setMinimumWidth(320)
