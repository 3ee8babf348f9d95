"""The training dock: layers in, model and predicted labels out, the window alive all the while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.widgets.conftest import press, process_until

from napari_lightbox.errors import InputError, MissingDependencyError
from napari_lightbox.models.train.loop import Trainer
from napari_lightbox.models.train.samples import make_dataset
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.samples import cells
from napari_lightbox.settings import override

pytestmark = pytest.mark.gui
pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path) -> Iterator[None]:
    with override(cache_folder=tmp_path / "cache"):
        yield


@pytest.fixture
def nuclei(viewer: Any) -> Any:
    image, labels = cells((96, 96), count=14, seed=0)
    place = {"scale": image.geometry.spacing, "axis_labels": ("y", "x"), "units": ("um", "um")}
    return viewer.add_image(image.data, name="cells", **place), viewer.add_labels(labels.data, name="truth", **place)


@pytest.fixture
def dock(viewer: Any, nuclei: Any) -> Any:
    from napari_lightbox.widgets.train_dock import TrainDock

    widget = TrainDock(viewer)
    viewer.window.add_dock_widget(widget, name="Train a U-Net (Lightbox)")
    quick = {"levels": 2, "width": 8, "patch": 48, "epochs": 5, "steps": 10, "merge": True, "minutes": None}
    for name, value in quick.items():
        widget.fields[name].set_value(value)
    process_until(widget.bar.run.isEnabled)
    return widget


def test_training_waits_for_torch(viewer: Any, nuclei: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading it holds the window up, which a run must not."""
    from napari_lightbox.widgets import train_dock

    loaded = threading.Event()
    monkeypatch.setattr(train_dock, "need_torch", lambda: loaded.wait(30))
    widget = train_dock.TrainDock(viewer)
    viewer.window.add_dock_widget(widget, name="Train a U-Net (Lightbox)")
    press(widget.bar.run)
    assert widget.job is None
    assert widget.bar.message.text() == "Loading PyTorch…"
    loaded.set()
    process_until(widget.bar.run.isEnabled)
    assert widget.bar.message.text() == ""


@pytest.mark.parametrize("wrong", [MissingDependencyError("PyTorch", "is missing", "Install it"), OSError("broken")])
def test_a_torch_that_does_not_load_is_told_when_it_is_needed(
    viewer: Any, nuclei: Any, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    from napari_lightbox.widgets import train_dock

    def need_torch() -> None:
        raise wrong

    monkeypatch.setattr(train_dock, "need_torch", need_torch)
    widget = train_dock.TrainDock(viewer)
    viewer.window.add_dock_widget(widget, name="Train a U-Net (Lightbox)")
    process_until(widget.bar.run.isEnabled)
    assert widget.bar.message.text() == ""
    assert messages() == []


def threads() -> int:
    return sum(t.name == "lightbox-training" for t in threading.enumerate())


def test_train_and_predict(viewer: Any, nuclei: Any, dock: Any) -> None:
    press(dock.bar.run)
    assert not dock.bar.run.isEnabled()
    process_until(lambda: len(dock.curve.dice) >= 2)
    assert dock.bar.busy, "the curve is drawn while it trains, not afterwards"
    process_until(lambda: not dock.bar.busy and len(viewer.layers) == 3)
    assert dock.curve.dice == tuple(dock.trained.card.history["dice"]) or len(dock.curve.dice) == 5
    assert dock.curve.best == dock.trained.card.history["best_epoch"]
    predicted = viewer.layers[-1]
    assert np.asarray(predicted._slice.image.raw).any(), "shown before there is something to see"
    truth = nuclei[1].data > 0
    guess = np.asarray(predicted.data) > 0
    assert 2 * (guess & truth).sum() / (guess.sum() + truth.sum()) > 0.85
    np.testing.assert_array_equal(predicted.scale, nuclei[0].scale)
    assert str(dock.trained.folder) in dock.result.text()
    assert (dock.trained.folder / "card.json").is_file()
    process_until(lambda: threads() == 0)


def test_the_window_turns_between_any_two_steps(viewer: Any, dock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step waits for a turn of the event loop, so that a window that waited for the training would never see its end."""
    turned, waited, learn = threading.Event(), [], Trainer._learn

    def slowly(trainer: Trainer) -> float:
        turned.clear()
        waited.append(turned.wait(30))
        return learn(trainer)

    def tick() -> bool:
        turned.set()
        return not dock.bar.busy

    monkeypatch.setattr(Trainer, "_learn", slowly)
    press(dock.bar.run)
    process_until(tick)
    assert len(waited) == 5 * 10
    assert all(waited), "the window stood still"


def test_stop_keeps_the_best(viewer: Any, dock: Any) -> None:
    dock.fields["epochs"].set_value(500)
    dock.fields["patience"].set_value(500)
    press(dock.bar.run)
    process_until(lambda: len(dock.curve.dice) >= 2)
    press(dock.bar.cancel)
    process_until(lambda: not dock.bar.busy)
    assert dock.trained.cancelled
    assert "Stopped early" in dock.result.text()
    assert len(dock.trained.card.history["dice"]) < 500


def test_closing_the_dock_ends_the_training(viewer: Any, dock: Any) -> None:
    dock.fields["epochs"].set_value(5000)
    press(dock.bar.run)
    process_until(lambda: dock.job.progress is not None)
    job = dock.job
    viewer.window.remove_dock_widget(dock)
    process_until(lambda: job.status not in ("queued", "running"))
    process_until(lambda: threads() == 0)


def test_a_layer_deleted_meanwhile(viewer: Any, nuclei: Any, dock: Any) -> None:
    press(dock.bar.run)
    process_until(lambda: dock.job.progress is not None)
    viewer.layers.clear()
    process_until(lambda: not dock.bar.busy)
    assert dock.trained is not None
    assert not len(viewer.layers)


def messages() -> list[str]:
    from napari.utils.notifications import notification_manager

    return [r.message for r in notification_manager.records]


def test_nothing_painted(viewer: Any, nuclei: Any, dock: Any) -> None:
    nuclei[1].data = np.zeros_like(nuclei[1].data)
    press(dock.bar.run)
    process_until(lambda: not dock.bar.busy)
    assert any("one class" in m for m in messages())
    assert dock.trained is None
    assert dock.bar.run.isEnabled()


def test_no_layers(viewer: Any, dock: Any) -> None:
    viewer.layers.clear()
    press(dock.bar.run)
    assert any("lacks its image or its labels" in m for m in messages())
    assert dock.job is None


def test_strokes_need_a_background_of_their_own(viewer: Any, dock: Any) -> None:
    dock.strokes.setChecked(True)
    dock.fields["background"].set_value(0)
    press(dock.bar.run)
    assert any("label of its own" in m for m in messages())


def test_several_pairs_and_their_axes(viewer: Any, nuclei: Any, dock: Any) -> None:
    more = viewer.add_image(np.zeros((4, 20, 20)), name="stack")
    labels = viewer.add_labels(np.zeros((4, 20, 20), int), name="painted")
    press(dock.source.add)
    assert len(dock.source.rows) == 2
    dock.source.rows[0].image.choose(more)
    dock.source.rows[0].labels.choose(labels)
    assert dock.source.axes.text() == "zyx"
    dock.source.axes.setText("tyx")
    dock.source.axes.editingFinished.emit()
    dock.source.rows[1].image.choose(nuclei[0])
    dock.source.rows[1].labels.choose(labels)
    with pytest.raises(InputError, match="painted on that image"):
        make_dataset(dock.source.pairs()()[1:], TrainSettings())
    dock.source.rows[1].labels.choose(nuclei[1])
    pairs = dock.source.pairs()()
    assert [p[0].name for p in pairs] == ["stack", "cells"]
    assert pairs[0][0].axes == pairs[0][1].axes == "tyx"
    press(dock.source.rows[0].remove)
    assert [p[0].name for p in dock.source.pairs()()] == ["cells"]


def test_a_folder(viewer: Any, dock: Any, tmp_path: Path) -> None:
    import napari_lightbox as lb

    for seed in range(2):
        image, labels = cells((64, 64), count=8, seed=seed)
        lb.write(tmp_path / f"c{seed}.tif", image)
        lb.write(tmp_path / f"c{seed}-labels.tif", labels)
    dock.source.kind.setCurrentIndex(1)
    dock.source.folder.setText(str(tmp_path))
    dock.source.folder.editingFinished.emit()
    assert dock.source.found.text() == "2 images with labels"
    press(dock.bar.run)
    process_until(lambda: not dock.bar.busy)
    assert dock.trained.card.origin.endswith("c0, c1") or "cells" in dock.trained.card.origin
    dock.source.folder.setText(str(tmp_path / "absent"))
    press(dock.bar.run)
    assert any("not a folder" in m for m in messages())


def test_use_this_model_opens_the_segmentation(viewer: Any, dock: Any) -> None:
    from napari_lightbox.widgets.technique_dock import TechniqueDock

    press(dock.bar.run)
    process_until(lambda: not dock.bar.busy and len(viewer.layers) == 3)
    press(dock.use)
    opened = [d for d in viewer.window.dock_widgets.values() if isinstance(d, TechniqueDock)]
    assert opened[0].inputs.choosers["model"].chosen() == str(dock.trained.folder)
    request, _ = opened[0].request()
    assert request.inputs[1] == str(dock.trained.folder)
