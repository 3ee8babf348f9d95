"""The Server dock by mouse and keys: connect, look, cancel, open, delete, lose the server and find it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.client.serving import TOKEN, Server
from tests.widgets.conftest import press, process_until
from tests.widgets.gate import IMAGE, Gate
from tests.widgets.server.conftest import TALL, meet, messages

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.widgets import server_news
from napari_lightbox.widgets.places import places

pytestmark = pytest.mark.gui

OVER = ("done", "failed", "cancelled")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_news, "EVERY_MS", 100)


def type_into(line: Any, text: str) -> None:
    from qtpy.QtTest import QTest

    line.clear()
    QTest.keyClicks(line, text)


def connect(dock: Any, address: str, token: str) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    type_into(dock.form.address.lineEdit(), address)
    type_into(dock.form.token, token)
    QTest.keyClick(dock.form.token, Qt.Key.Key_Return)
    process_until(lambda: not dock.busy)


def volume(data: Any) -> Volume:
    return Volume(data, Geometry.of("zyx", data.shape, (2, 1, 1)), name="stack")


def submit(address: str, data: Any = IMAGE, technique: str = "gaussian_blur") -> Any:
    return places().runner(address).submit(Request(technique, (volume(data),)), lazy=True)


def shown(dock: Any) -> dict[str, tuple[str, ...]]:
    return {row.id: tuple(cell.text for cell in row.cells) for row in dock.panel.jobs.rows.rows}


def select(dock: Any, job: str) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    process_until(lambda: dock.panel.jobs.rows.place_of(job) >= 0)
    view = dock.panel.jobs
    view.scrollTo(view.model().index(view.rows.place_of(job), 0))
    place = view.visualRect(view.model().index(view.rows.place_of(job), 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert view.selected() == job


def test_connect_by_hand(viewer: Any, server: Server, server_dock: Callable[[], Any], ring: Any) -> None:
    dock = server_dock()
    assert dock.panel.details.isHidden()
    connect(dock, server.url, TOKEN)
    assert dock.form.details.isHidden()
    assert dock.form.token.text() == ""
    assert TOKEN in ring.kept.values()
    process_until(lambda: "worker" in dock.panel.summary.text())
    assert "nothing runs" in dock.panel.summary.text()
    assert "free" in dock.panel.disk.text()
    assert dock.panel.head.text().startswith("● Connected to 127.0.0.1")
    assert messages() == []
    press(dock.panel.leave)
    process_until(lambda: places().runner(server.url) is None)
    assert not dock.form.details.isHidden()
    connect(dock, server.url, "")
    assert places().runner(server.url) is not None, "the token was kept"


def test_an_address_with_its_token(viewer: Any, server: Server, server_dock: Callable[[], Any]) -> None:
    dock = server_dock()
    connect(dock, f"{server.url}/#token={TOKEN}", "")
    assert dock.form.address.currentText() == server.url
    assert places().runner(server.url) is not None
    assert TOKEN not in repr(places().known)


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        (None, "a-wrong-token-0123456789", "printed"),
        (None, "", "token: is missing"),
        ("http://127.0.0.1:1", TOKEN, "See that the server runs"),
        ("lab", TOKEN, "Write it like"),
    ],
)
def test_what_goes_wrong_is_said_with_the_way_out(
    viewer: Any, server: Server, server_dock: Callable[[], Any], address: str | None, token: str, said: str
) -> None:
    dock = server_dock()
    connect(dock, address or server.url, token)
    assert said in dock.panel.note.text()
    assert dock.panel.warns
    assert dock.form.isEnabled()
    assert token not in dock.panel.note.text() or not token
    assert places().known == []
    connect(dock, server.url, TOKEN)
    assert places().runner(server.url) is not None
    assert dock.panel.note.text() == ""


def test_without_a_keyring_the_dock_says_so(viewer: Any, server: Server, server_dock: Callable[[], Any]) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    keyring.set_keyring(Keyring())
    dock = server_dock()
    connect(dock, server.url, TOKEN)
    assert "for this session only" in dock.panel.note.text()
    process_until(lambda: "worker" in dock.panel.summary.text())
    assert "for this session only" in dock.panel.note.text()


def test_runs_are_shown_and_can_be_stopped(viewer: Any, connected: str, server_dock: Callable[[], Any], gate: Gate) -> None:
    job = submit(connected, gate.image)
    dock = server_dock()
    process_until(lambda: job.id is not None)
    select(dock, job.id)
    process_until(lambda: shown(dock)[job.id][1].endswith("%"))
    assert shown(dock)[job.id][0] == "Gaussian blur"
    process_until(lambda: "1 running" in dock.panel.summary.text())
    assert dock.panel.cancel.isEnabled()
    press(dock.panel.cancel)
    process_until(lambda: shown(dock)[job.id][1] == "cancelled")
    assert dock.panel.jobs.selected() == job.id
    assert not dock.panel.cancel.isEnabled()
    assert not dock.panel.open.isEnabled()


def test_of_many_runs_the_newest_are_listed_and_the_others_counted(
    viewer: Any, connected: str, server_dock: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []
    for _ in range(3):
        runs.append(submit(connected))
        assert runs[-1].wait(60), "the next one starts later"
    dock = server_dock()
    process_until(lambda: runs[0].id in shown(dock))
    assert dock.panel.older.isHidden()
    process_until(lambda: all(state in OVER for _, state, _ in shown(dock).values()))
    kept = len(shown(dock))
    monkeypatch.setattr(server_news, "MOST_JOBS", 2)
    process_until(lambda: set(shown(dock)) == {run.id for run in runs[1:]})
    assert not dock.panel.older.isHidden()
    assert dock.panel.older.text() == ("1 older run not listed" if kept == 3 else f"{kept - 2} older runs not listed")


def test_a_result_is_opened_after_a_restart(viewer: Any, server: Server, server_dock: Callable[[], Any]) -> None:
    address = meet(server)
    for technique in ("gaussian_blur", "threshold_otsu"):
        submit(address, technique=technique).result(60)
    assert all(job.wait(60) for job in list(places().runner(address)._jobs.values()))
    ids = {card.technique: card.id for card in places().runner(address).jobs() if card.status == "done"}
    places().connections.close(address)
    meet(server)
    dock = server_dock()
    select(dock, ids["gaussian_blur"])
    process_until(dock.panel.open.isEnabled)
    press(dock.panel.open)
    process_until(lambda: not dock.busy)
    layer, expected = viewer.layers[-1], lb.apply("gaussian_blur", IMAGE, axes="zyx", spacing=(2, 1, 1))
    np.testing.assert_array_equal(np.asarray(layer.data), expected)
    np.testing.assert_array_equal(layer.scale, (2, 1, 1))
    assert layer.metadata["provenance"][-1]["technique"] == "gaussian_blur"
    assert layer.name == "stack Gaussian blur"
    select(dock, ids["threshold_otsu"])
    process_until(dock.panel.open.isEnabled)
    press(dock.panel.open)
    process_until(lambda: not dock.busy and isinstance(viewer.layers[-1].data, np.ndarray))
    expected = lb.apply("threshold_otsu", IMAGE, axes="zyx", spacing=(2, 1, 1))
    expected = expected[0] if isinstance(expected, tuple) else expected
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    assert type(viewer.layers[-1]).__name__ == "Labels"
    assert messages() == []


def test_a_run_on_its_way_can_be_watched(viewer: Any, connected: str, server_dock: Callable[[], Any], tall: Gate) -> None:
    job = submit(connected, tall.image)
    dock = server_dock()
    process_until(lambda: job.id is not None)
    select(dock, job.id)
    process_until(dock.panel.open.isEnabled)
    press(dock.panel.open)
    tall.open(*range(47))
    process_until(lambda: len(viewer.layers) == 1)
    assert dock.busy
    tall.open()
    process_until(lambda: not dock.busy)
    expected = lb.apply("gaussian_blur", TALL, axes="zyx", spacing=(2, 1, 1))
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), expected)


def test_delete_frees_after_a_question(
    viewer: Any, connected: str, server_dock: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QMessageBox

    job = submit(connected)
    assert job.wait(60)
    dock = server_dock()
    select(dock, job.id)
    process_until(dock.panel.delete.isEnabled)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    press(dock.panel.delete)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    assert job.id in [card.id for card in places().runner(connected).jobs()]
    press(dock.panel.delete)
    process_until(lambda: job.id not in shown(dock))
    assert not dock.panel.delete.isEnabled()


def test_a_lost_server_is_told_once_and_found_again(viewer: Any, mortal: Server, server_dock: Callable[[], Any]) -> None:
    address = meet(mortal)
    dock = server_dock()
    process_until(lambda: "worker" in dock.panel.summary.text())
    mortal.kill()
    process_until(lambda: "cannot be reached" in dock.panel.note.text())
    assert not dock.panel.details.isEnabled()
    assert dock.panel.head.text() == "○ lab does not answer"
    asked = []
    dock.news.missed.connect(asked.append)
    process_until(lambda: len(asked) >= 3)
    assert len(messages()) == 1
    mortal.start()
    assert mortal.url == address
    process_until(dock.panel.details.isEnabled)
    assert dock.panel.note.text() == ""


def test_nobody_is_asked_while_nobody_looks(viewer: Any, connected: str, server_dock: Callable[[], Any]) -> None:
    dock = server_dock()
    told: list[Any] = []
    dock.news.told.connect(told.append)
    process_until(lambda: len(told) >= 2)
    dock.hide()
    process_until(lambda: dock.news._task is None or not dock.news._task.running)
    assert not dock.news._timer.isActive()
    dock.show()
    count = len(told)
    process_until(lambda: len(told) > count)


def test_forget(viewer: Any, connected: str, server_dock: Callable[[], Any], ring: Any) -> None:
    dock = server_dock()
    press(dock.panel.leave)
    process_until(lambda: places().runner(connected) is None)
    press(dock.form.forget)
    process_until(lambda: not ring.kept)
    assert places().known == []
    assert dock.form.address.currentText() == ""


def test_a_dock_that_is_closed_lets_go(viewer: Any, connected: str, server_dock: Callable[[], Any]) -> None:
    dock = server_dock()
    process_until(lambda: "worker" in dock.panel.summary.text())
    news = dock.news
    assert news._timer.isActive()
    viewer.window.add_dock_widget(dock, name="Server (Lightbox)")
    viewer.window.remove_dock_widget(dock)
    assert not news._timer.isActive()
    assert places().runner(connected) is not None
