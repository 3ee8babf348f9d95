"""What a server says, in words; nothing that it says can break the dock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.widgets.conftest import process_until
from tests.widgets.reading import as_read

from napari_lightbox.client.answers import JobCard
from napari_lightbox.errors import SpaceError
from napari_lightbox.widgets.server_rows import disk_line, job_rows, summary, when, worker_rows

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "threads", "used", "memory"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["workers", "queued", "running", "disk"]), JUNK))
def test_junk_is_no_worse_than_nothing(cluster: dict[str, Any]) -> None:
    assert isinstance(summary(cluster) + disk_line(cluster), str)
    for row in worker_rows(cluster):
        assert all(cell.fraction is None or cell.fraction >= 0 for cell in row.cells)


@pytest.mark.gui
@pytest.mark.parametrize("status", ["queued", "running", "failed"])
@pytest.mark.parametrize("said", ["axes: <b>y</b> is no axis. Give <z y x>", "a < b & c", "<img src='x'>", "plain"])
def test_what_a_server_says_is_no_markup(status: str, said: str) -> None:
    from qtpy.QtCore import Qt

    from napari_lightbox.widgets.gauge_model import GaugeModel

    model = GaugeModel(("Run", "State", "Started"))
    model.show_rows(job_rows([JobCard("one", "gaussian_blur", status, 0.5, said, created=1.0)], NOW))
    assert as_read(model.data(model.index(0, 1), Qt.ItemDataRole.ToolTipRole)) == said
    assert model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) is None


@pytest.mark.gui
def test_busy_and_memory_are_read_whole_in_a_narrow_dock(viewer: Any) -> None:
    from qtpy.QtWidgets import QWidget

    from napari_lightbox.widgets.server_panel import ServerPanel

    home = QWidget()
    panel = ServerPanel(home, "dark")
    long = {"name": "tcp://worker-with-a-long-name.lab:45123", "threads": 128, "tasks": 64, "memory": 999e9, "used": 123.4e9}
    short = {"name": "0", "threads": 1, "tasks": 1, "memory": 9.41e9, "used": 91.8e6}
    panel.workers.show_rows(worker_rows({"workers": [short, long]}))
    home.resize(320, 600)
    home.show()
    process_until(lambda: home.isVisible())
    widths = [panel.workers.columnWidth(column) for column in range(3)]
    assert sum(widths) <= panel.workers.viewport().width()
    metrics = panel.workers.fontMetrics()
    for row in panel.workers.rows.rows:
        assert all(metrics.horizontalAdvance(row.cells[n].text) <= widths[n] - 20 for n in (1, 2)), "20 px of margins"
    assert widths[0] > 40, "the name is cut, and told by its tip"
    home.close()


@given(JUNK)
def test_any_time_can_be_written(created: Any) -> None:
    assert isinstance(when(created, NOW), str)


def test_times_are_told_as_people_do() -> None:
    assert when(NOW.timestamp() - 60, NOW) == "14:59"
    assert when(NOW.timestamp() - 24 * 3600, NOW) == "yesterday 15:00"
    assert when(NOW.timestamp() - 20 * 24 * 3600, NOW) == "1 Nov 15:00"


def test_what_runs_comes_first_and_the_latest_before_others() -> None:
    cards = [
        JobCard("old", "gaussian_blur", "done", 1.0, "", created=1.0),
        JobCard("new", "no_such_technique", "failed", 0.5, "", created=3.0, error=SpaceError("disk", "is full", "Delete runs")),
        JobCard("runs", "threshold_otsu", "running", 0.25, "Blocks", created=0.5),
        JobCard("waits", "threshold_otsu", "queued", 0.0, "", created=0.6),
    ]
    rows = {row.id: row.cells for row in job_rows(cards, NOW)}
    assert list(rows) == ["waits", "runs", "new", "old"]
    assert rows["runs"][1].fraction == pytest.approx(0.25)
    assert (rows["runs"][1].text, rows["waits"][1].text, rows["new"][1].text) == ("25%", "waiting", "failed")
    assert "Delete runs" in rows["new"][1].tip
    assert rows["old"][0].text == "Gaussian blur"


def test_a_cluster_in_one_line() -> None:
    worker = {"name": "a", "threads": 2, "memory": 4_000_000_000, "used": 1_000_000_000, "tasks": 1}
    cluster = {"workers": [worker, worker], "queued": 3, "running": 1}
    assert summary(cluster) == "2 workers, 4 threads · 1 running, 3 waiting"
    cells = worker_rows(cluster)[0].cells
    assert [cell.text for cell in cells] == ["a", "1 of 2", "1 GB of 4 GB"]
    assert [cell.fraction for cell in cells] == [None, 0.5, 0.25]
    disk = {"disk": {"total": 1e12, "free": 5e11, "quota": 1e11, "used": {"me": 2e9}}}
    assert disk_line(disk) == "Disk: 2 GB of 100 GB stored · 500 GB free"
