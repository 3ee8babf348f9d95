"""The training loop: epochs of random patches, a validation after each, the best state kept."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_lightbox.errors import MemoryForecastError
from napari_lightbox.models.device import memory_format
from napari_lightbox.models.nets.unet_plan import UNetPlan
from napari_lightbox.models.predict import Predictor, is_out_of_memory
from napari_lightbox.models.train.adam import Adam, Plateau
from napari_lightbox.models.train.augment import Augment
from napari_lightbox.models.train.losses import make_loss
from napari_lightbox.models.train.patches import Patches
from napari_lightbox.models.train.samples import Dataset
from napari_lightbox.models.train.score import dice_of, mean_dice
from napari_lightbox.models.train.settings import TrainSettings

_PATCH = {2: 128, 3: 48}
_BATCH = {2: 4, 3: 2}
_STEPS = (16, 60)
_BETTER = 1e-3


@dataclass(frozen=True)
class Progress:
    """Where a training stands; `dice` and `loss` have one value per finished epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    dice: tuple[float, ...]
    loss: tuple[float, ...]
    best: int | None
    seconds: float


Report = Callable[[Progress], None]
State = dict[str, Any]


@dataclass
class Course:
    """What has happened so far.

    `state` is the best network's weights, `best` the epoch it is from, `per_class` its Dice.
    """

    dice: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    best: int | None = None
    per_class: NDArray[np.float64] | None = None
    state: State | None = None
    cancelled: bool = False
    start: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.start


class Trainer:
    """One network in training.

    Parameters
    ----------
    data, plan, options
        What it learns from, what it looks like, how it learns.
    device
        Where to compute.
    report
        Called after every step and every epoch.
    keep
        Called with the weights whenever the validation is better than ever.
    cancelled
        Asked before every step.
    """

    def __init__(
        self,
        data: Dataset,
        plan: UNetPlan,
        options: TrainSettings,
        device: str,
        report: Report,
        keep: Callable[[State, Course], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.data, self.plan, self.options, self.device = data, plan, options, device
        self._report, self._keep, self._cancelled = report, keep, cancelled
        self.network = plan.build().to(device).to(memory_format=memory_format(plan.ndim))
        self.predictor = Predictor(
            self.network, plan, "softmax" if options.loss != "bce" else "sigmoid", device, torch.get_num_threads()
        )
        self.loss = make_loss(options.loss, data.training, plan.classes)
        self.optimiser = Adam(self.network.parameters(), options.learning_rate)
        self.slower = Plateau(self.optimiser, max(2, options.patience // 4), _BETTER)
        self.size = patch_size(plan, options, data)
        self.batch = options.batch or _BATCH[plan.ndim]
        self.patches = Patches(data.training, self.size, np.random.default_rng(options.seed))
        self.augment = Augment(options, data.spacing)
        self.steps = options.steps or self._steps()
        self.course = Course()

    def run(self) -> Course:
        """Train until a limit is reached, nothing gets better any more, or somebody stops it."""
        course, options = self.course, self.options
        for epoch in range(options.epochs):
            loss = self._epoch(epoch)
            if loss is None:
                break
            course.loss.append(loss)
            dice = dice_of(self.predictor, self.data.validation, self.plan.classes)
            course.dice.append(mean_dice(dice, self.data.background))
            self.slower.see(course.dice[-1])
            if course.best is None or course.dice[-1] > course.dice[course.best]:
                self._remember(epoch, dice)
            self._tell(epoch + 1, 0)
            if self._is_late() or self._stands_still(epoch):
                break
        return course

    def _epoch(self, epoch: int) -> float | None:
        """Return the mean loss of an epoch; None when it was cancelled."""
        self.network.train()
        losses = []
        for step in range(self.steps):
            if self._cancelled():
                self.course.cancelled = True
                return None
            losses.append(self._step())
            self._tell(epoch, step + 1)
            if self._is_late() and self.course.state is not None:
                break
        self.network.eval()
        return float(np.mean(losses))

    def _step(self) -> float:
        while True:
            try:
                return self._learn()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            if self.batch == 1:
                raise MemoryForecastError(
                    "training",
                    f"not even one patch of {self.size} pixels fits into memory",
                    "Choose a smaller patch, width or number of levels",
                )
            self.batch //= 2
            self.optimiser.clear()

    def _learn(self) -> float:
        images, classes = (torch.from_numpy(a) for a in self.patches.draw(self.batch))
        images, classes = self.augment(images, classes)
        images = images.to(self.device).contiguous(memory_format=memory_format(self.plan.ndim))
        classes = classes.to(self.device)
        loss = self.loss(self.network(images), classes)
        if not bool(torch.isfinite(loss)):
            return float("nan")
        self.optimiser.clear()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def _remember(self, epoch: int, dice: NDArray[np.float64]) -> None:
        course = self.course
        course.best, course.per_class = epoch, dice
        course.state = {name: copy.deepcopy(v.detach().cpu()).contiguous() for name, v in self.network.state_dict().items()}
        self._keep(course.state, course)

    def _tell(self, epoch: int, step: int) -> None:
        course = self.course
        self._report(
            Progress(
                epoch, self.options.epochs, step, self.steps, tuple(course.dice), tuple(course.loss), course.best, course.seconds
            )
        )

    def _is_late(self) -> bool:
        return self.options.minutes is not None and self.course.seconds > 60 * self.options.minutes

    def _stands_still(self, epoch: int) -> bool:
        best = self.course.best
        return best is not None and epoch - best >= self.options.patience

    def _steps(self) -> int:
        pixels = sum(s.classes.size for s in self.data.training)
        once = pixels / (self.batch * float(np.prod(self.size)))
        return int(np.clip(round(once), *_STEPS))


def patch_size(plan: UNetPlan, options: TrainSettings, data: Dataset) -> tuple[int, ...]:
    """Return the patch per axis in whole cells: no larger than the largest sample, two cells at least."""
    wanted = options.patch or _PATCH[plan.ndim]
    largest = np.max([s.classes.shape for s in data.training], axis=0)
    return tuple(
        max(2 * cell, min(-(-wanted // cell), -(-int(n) // cell)) * cell) for n, cell in zip(largest, plan.cell, strict=True)
    )
