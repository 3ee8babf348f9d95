"""Training: it learns what is there, nothing where nothing is, the same twice, and keeps the best when stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import CancelledError, MemoryForecastError
from napari_lightbox.samples import brain_mri, cells

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra deep)")

from safetensors.torch import load_file  # noqa: E402

from napari_lightbox.models.train.adam import Adam, Plateau  # noqa: E402
from napari_lightbox.models.train.augment import Augment  # noqa: E402
from napari_lightbox.models.train.losses import binary_loss, dice_loss, make_loss  # noqa: E402
from napari_lightbox.models.train.samples import IGNORED, Sample  # noqa: E402
from napari_lightbox.models.train.score import dice_of, mean_dice  # noqa: E402
from napari_lightbox.models.train.settings import TrainSettings  # noqa: E402
from napari_lightbox.models.train.unet import train_unet  # noqa: E402

QUICK = TrainSettings(levels=3, width=8, patch=48, epochs=6, steps=12, merge=True)


def dice(guess: Any, truth: Any) -> float:
    """Overlap of two masks."""
    one, other = np.asarray(guess) > 0, np.asarray(truth) > 0
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def nuclei(count: int, first: int = 0) -> list[tuple[Volume, Volume]]:
    return [tuple(cells((96, 96), count=14, seed=first + s)) for s in range(count)]


def test_nuclei_are_learned_from_one_image_and_found_in_others(tmp_path: Path) -> None:
    trained = train_unet(nuclei(1), QUICK, folder=tmp_path / "m")
    history = trained.card.history
    assert history["dice"][history["best_epoch"]] == max(history["dice"]) == pytest.approx(trained.dice, abs=1e-6)
    found = [
        dice(lb.apply("unet_segmentation", image, str(trained.folder))[0].data, truth.data) for image, truth in nuclei(3, 50)
    ]
    assert min(found) > 0.9, found
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_labels_of_other_images_teach_nothing(tmp_path: Path) -> None:
    """With labels shuffled between images there is nothing to learn: a training that 'learns' them leaks its truth."""
    pairs = nuclei(6)
    shuffled = [(image, labels) for (image, _), (_, labels) in zip(pairs, pairs[1:] + pairs[:1], strict=True)]
    trained = train_unet(shuffled, QUICK, folder=tmp_path / "m")
    covered = np.mean([(labels.data > 0).mean() for _, labels in pairs])
    # whatever one paints blindly overlaps by 2 c / (1 + c) at most, when everything is painted
    assert trained.dice < 2 * covered / (1 + covered) + 0.05


def test_tissues_of_held_out_slices(tmp_path: Path) -> None:
    """Eight tissues of the brain phantom, a net of 30,000 weights: far from perfect in seconds, yet clearly on its way."""
    image, labels = brain_mri((6, 3, 3))
    held = np.arange(len(image.data)) % 5 == 2

    def part(volume: Volume, planes: Any) -> Volume:
        data = volume.data[planes]
        return Volume(data, Geometry.of("zyx", data.shape, volume.geometry.spacing), volume.metadata, volume.role, volume.name)

    seen: list[tuple[float, ...]] = []
    options = TrainSettings(levels=3, width=8, patch=48, epochs=10, steps=16)
    trained = train_unet(
        [(part(image, ~held), part(labels, ~held))], options, folder=tmp_path / "m", report=lambda p: seen.append(p.dice)
    )
    course = seen[-1]
    assert np.mean(course[-3:]) > 2 * course[0]
    assert np.polyfit(range(len(course)), course, 1)[0] > 0.01, "the trend rises"
    guess = np.asarray(lb.apply("unet_segmentation", part(image, held), str(trained.folder))[0].data)
    truth = labels.data[held]
    for tissue in ("scalp", "white matter"):
        number = next(k for k, v in labels.metadata["names"].items() if v == tissue)
        assert dice(guess == number, truth == number) > 0.8, tissue
    assert [c.name for c in trained.card.classes] == list(labels.metadata["names"].values())


@pytest.mark.long
def test_five_minutes_on_two_cores_reach_dice_of_09(tmp_path: Path) -> None:
    """The defaults, on all tissues of the full-size phantom: every fifth slice was never seen."""
    image, labels = brain_mri((3, 1.5, 1.5))
    held = np.arange(len(image.data)) % 5 == 2

    def part(volume: Volume, planes: Any) -> Volume:
        data = volume.data[planes]
        return Volume(data, Geometry.of("zyx", data.shape, volume.geometry.spacing), volume.metadata, volume.role, volume.name)

    pairs = [(part(image, ~held), part(labels, ~held))]
    trained = train_unet(pairs, TrainSettings(minutes=4.5), folder=tmp_path / "m", threads=2)
    history = trained.card.history
    assert history["seconds"] < 300
    course = np.array(history["dice"])
    thirds = [part.mean() for part in np.array_split(course, 3)]
    assert thirds[0] < thirds[1] < thirds[2], "it improves monotonically in trend"
    whole = lb.apply("unet_segmentation", part(image, held), str(trained.folder), full_prob=True)
    guess, truth = np.asarray(whole[0].data), labels.data[held]
    scores = {name: dice(guess == i, truth == i) for i, name in labels.metadata["names"].items() if i}
    print(f"mean Dice {np.mean(list(scores.values())):.3f} after {history['seconds']:.0f} s, by thirds {np.round(thirds, 3)}")
    assert np.mean(list(scores.values())) > 0.9, scores
    import dask.array as da

    lazy = part(image, held)
    lazy = lazy.with_data(da.from_array(lazy.data, chunks=(3, 50, 37)))
    tiled = lb.apply("unet_segmentation", lazy, str(trained.folder), full_prob=True)
    np.testing.assert_allclose(np.asarray(tiled[1].data), whole[1].data, atol=1e-4)


@pytest.mark.long
def test_one_image_can_be_learned_by_heart(tmp_path: Path) -> None:
    options = replace(QUICK, epochs=40, flips=False, rotation=0, elastic=0, intensity=0, dropout=0, patience=40)
    (image, truth) = nuclei(1)[0]
    trained = train_unet([(image, truth)], options, folder=tmp_path / "m")
    assert dice(lb.apply("unet_segmentation", image, str(trained.folder))[0].data, truth.data) > 0.98


def test_strokes_teach_beyond_the_strokes(tmp_path: Path) -> None:
    image, truth = cells((128, 128), count=22, seed=3)
    strokes = np.zeros(truth.shape, np.int32)
    strokes[::9] = np.where(truth.data[::9] > 0, 2, 1)
    painted = Volume(strokes, truth.geometry, role="labels")
    options = replace(QUICK, ignore=0, background=1, merge=False)
    trained = train_unet([(image, painted)], options, folder=tmp_path / "m")
    guess = np.asarray(lb.apply("unet_segmentation", image, str(trained.folder))[0].data)
    assert set(np.unique(guess)) == {0, 2}
    unseen = strokes == 0
    assert dice((guess == 2)[unseen], (truth.data > 0)[unseen]) > 0.85


def test_a_volume_is_learned_in_3d(tmp_path: Path) -> None:
    image, truth = cells((16, 48, 48), count=12, seed=1)
    options = replace(QUICK, ndim=3, levels=2, patch=16, epochs=4, steps=10, batch=4)
    trained = train_unet([(image, truth)], options, folder=tmp_path / "m")
    assert trained.card.axes == "zyx"
    assert trained.card.spacing == image.geometry.spacing
    other, labels = cells((17, 51, 45), count=12, seed=9)
    assert dice(lb.apply("unet_segmentation", other, str(trained.folder))[0].data, labels.data) > 0.75


def test_same_seed_same_network(tmp_path: Path) -> None:
    options = replace(QUICK, epochs=2, steps=3)
    runs = [train_unet(nuclei(1), replace(options, seed=s), folder=tmp_path / f"{i}", threads=2) for i, s in enumerate((4, 4, 5))]
    first, second, third = (load_file(str(r.folder / "weights.safetensors")) for r in runs)
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not all(torch.equal(first[k], third[k]) for k in first)
    assert runs[0].card.history["dice"] == runs[1].card.history["dice"]


def test_the_rest_of_the_process_keeps_its_random_numbers(tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train_unet(nuclei(1), replace(QUICK, epochs=1, steps=1), folder=tmp_path / "m")
    assert torch.equal(torch.rand(3), expected)


def test_cancel_keeps_the_best(tmp_path: Path) -> None:
    state = {"epochs": 0}

    def report(progress: Any) -> None:
        state["epochs"] = len(progress.dice)

    trained = train_unet(
        nuclei(1), replace(QUICK, epochs=50), folder=tmp_path / "m", report=report, cancelled=lambda: state["epochs"] >= 2
    )
    assert trained.cancelled
    assert len(trained.card.history["dice"]) == 2
    assert lb.apply("unet_segmentation", nuclei(1)[0][0], str(trained.folder))[0].data.any()


def test_cancel_before_anything_is_known_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        train_unet(nuclei(1), QUICK, folder=tmp_path / "m", cancelled=lambda: True)
    assert not any(tmp_path.iterdir())


def test_it_stops_when_nothing_gets_better(tmp_path: Path) -> None:
    options = replace(QUICK, epochs=200, patience=2, steps=1, learning_rate=1e-7)
    trained = train_unet(nuclei(1), options, folder=tmp_path / "m")
    assert len(trained.card.history["dice"]) < 20
    assert not trained.cancelled


def test_time_is_a_limit(tmp_path: Path) -> None:
    trained = train_unet(nuclei(1), replace(QUICK, epochs=10_000, minutes=0.02, patience=10_000), folder=tmp_path / "m")
    assert 1 <= len(trained.card.history["dice"]) < 200


def test_out_of_memory_takes_smaller_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_lightbox.models.nets.unet import UNet

    batches: list[int] = []
    real = UNet.forward

    def tight(self: Any, image: Any) -> Any:
        if self.training:
            batches.append(len(image))
            if len(image) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, image)

    monkeypatch.setattr(UNet, "forward", tight)
    train_unet(nuclei(1), replace(QUICK, epochs=1, steps=2, batch=8), folder=tmp_path / "m")
    assert batches == [8, 4, 2, 2]

    def never(self: Any, image: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(UNet, "forward", never)
    with pytest.raises(MemoryForecastError, match="smaller patch"):
        train_unet(nuclei(1), replace(QUICK, epochs=1), folder=tmp_path / "n")


def test_adam_is_torch_s_adam() -> None:
    def network() -> Any:
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 1))

    ours, theirs = network(), network()
    own, reference = Adam(ours.parameters(), 0.01), torch.optim.Adam(theirs.parameters(), lr=0.01)
    for step in range(30):
        data = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
        for model, optimiser in ((ours, own), (theirs, reference)):
            loss = (model(data) - data.sum(1, keepdim=True)).square().mean()
            optimiser.clear() if optimiser is own else optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_the_rate_is_halved_on_a_plateau() -> None:
    adam = Adam([torch.zeros(1, requires_grad=True)], 1.0)
    plateau = Plateau(adam, 2, 0.01)
    rates = []
    for score in (0.1, 0.5, 0.5, 0.505, 0.5, 0.5, 0.5, 0.5, 0.9, 0.9):
        plateau.see(score)
        rates.append(adam.rate)
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("ndim", [2, 3])
def test_labels_move_with_their_image(ndim: int) -> None:
    """The image of a varied patch shows the varied labels, but for the interpolated rim."""
    shape = (40, 44) if ndim == 2 else (16, 40, 44)
    classes = torch.zeros(6, *shape, dtype=torch.long)
    classes[..., 8:20, 5:30] = 1
    augment = Augment(TrainSettings(intensity=0, rotation=40, elastic=2), (3.0, 1.0, 1.0)[-ndim:])
    images, labels = augment(classes.unsqueeze(1).float(), classes)
    known = labels != IGNORED
    agree = (images[:, 0].round().long() == labels)[known].float().mean()
    assert agree > 0.99
    assert (labels != classes).float().mean() > 0.1, "something was varied"
    assert not torch.equal(labels[0], labels[1]), "each patch in its own way"
    assert (~known).float().mean() < 0.5


def test_what_turns_in_from_outside_is_ignored() -> None:
    classes = torch.ones(4, 40, 40, dtype=torch.long)
    _, labels = Augment(TrainSettings(rotation=90, elastic=0, flips=False, intensity=0), (1.0, 1.0))(
        torch.ones(4, 1, 40, 40), classes
    )
    assert set(labels.unique().tolist()) == {IGNORED, 1}


def test_no_variation_is_no_variation() -> None:
    options = TrainSettings(flips=False, rotation=0, elastic=0, intensity=0)
    image, classes = torch.randn(2, 1, 9, 9), torch.randint(0, 3, (2, 9, 9))
    varied = Augment(options, (1.0, 1.0))(image, classes)
    assert torch.equal(varied[0], image)
    assert torch.equal(varied[1], classes)


def test_thick_slices_turn_about_z_alone() -> None:
    image = torch.zeros(1, 1, 9, 32, 32)
    image[:, :, 4] = 1
    options = TrainSettings(flips=False, rotation=45, elastic=0, intensity=0)
    flat, _ = Augment(options, (5.0, 1.0, 1.0))(image, torch.zeros(1, 9, 32, 32, dtype=torch.long))
    round_, _ = Augment(options, (1.0, 1.0, 1.0))(image, torch.zeros(1, 9, 32, 32, dtype=torch.long))
    outside = [0, 1, 2, 6, 7, 8]
    assert flat[0, 0, outside].abs().max() < 1e-3
    assert round_[0, 0, outside].abs().max() > 0.1


def test_dice_loss_by_hand() -> None:
    target = torch.tensor([[0, 1, 1, IGNORED]])
    logits = torch.full((1, 2, 4), -20.0)
    logits[0, [0, 1, 0, 1], [0, 1, 2, 3]] = 20.0  # right, right, wrong, ignored
    expected = 1 - (2 * 1 / (2 + 1) + 2 * 1 / (1 + 2)) / 2
    assert float(dice_loss(logits, target)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", ["ce", "weighted", "dice", "ce+dice", "bce"])
def test_ignored_pixels_do_not_pull(name: str) -> None:
    sample = Sample(np.zeros((1, 4, 4), np.float32), np.array([[0, 1, 0, 1]] * 4, np.int16), 0)
    loss = make_loss(name, [sample], 2)
    target = torch.tensor([[[0, 1], [IGNORED, IGNORED]]])
    logits = torch.randn(1, 2, 2, 2, requires_grad=True)
    loss(logits, target).backward()
    assert not logits.grad[..., 1, :].any()
    assert logits.grad[..., 0, :].abs().min() > 0
    nothing = torch.full_like(target, IGNORED)
    if name in ("dice", "bce"):
        assert float(loss(logits, nothing).detach()) == 0


def test_binary_loss_is_each_class_against_the_rest() -> None:
    logits = torch.tensor([[[1.0], [-2.0], [0.5]]])
    p = 1 / (1 + np.exp(-np.array([1.0, -2.0, 0.5])))
    expected = -(np.log(1 - p[0]) + np.log(1 - p[1]) + np.log(p[2])) / 3
    assert float(binary_loss(logits, torch.tensor([[2]]))) == pytest.approx(expected, rel=1e-5)


def test_rare_classes_weigh_more() -> None:
    classes = np.zeros((1, 100), np.int16)
    classes[0, :4] = 1
    loss = make_loss("weighted", [Sample(np.zeros((1, 1, 100), np.float32), classes, 0)], 2)
    even = torch.zeros(1, 2, 2)
    wrong_on = [even.clone(), even.clone()]
    wrong_on[0][0, 1, 0], wrong_on[1][0, 0, 1] = 3.0, 3.0
    target = torch.tensor([[0, 1]])
    assert float(loss(wrong_on[1], target)) > float(loss(wrong_on[0], target))


def test_dice_of_a_known_confusion() -> None:
    truth = np.array([[0, 0, 1, 1, 2, IGNORED]], np.int16)
    guess = np.array([[0, 1, 1, 1, 1, 2]])

    def predictor(images: Any) -> Any:
        return np.eye(4)[guess].transpose(2, 0, 1)[np.newaxis]

    found = dice_of(predictor, [Sample(np.zeros((1, 1, 6), np.float32), truth, 0)], 4)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, [2 / 3, 4 / 6, 0, np.nan])
    assert mean_dice(found, 0) == pytest.approx((4 / 6 + 0) / 2)
    assert mean_dice(found, None) == pytest.approx((2 / 3 + 4 / 6 + 0) / 3)
