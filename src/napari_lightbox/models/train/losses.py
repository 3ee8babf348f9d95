"""What a training makes small; pixels without a label count for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_lightbox.models.train.samples import IGNORED, Sample

LossFunction = Callable[[Tensor, Tensor], Tensor]
_RAREST = 0.02


def make_loss(name: str, samples: Sequence[Sample], classes: int) -> LossFunction:
    """Return ``loss(logits, classes)``."""
    weight = _weights(samples, classes) if name == "weighted" else None

    def entropy(logits: Tensor, target: Tensor) -> Tensor:
        own = weight.to(logits.device) if weight is not None else None
        return functional.cross_entropy(logits, target, own, ignore_index=IGNORED)

    def both(logits: Tensor, target: Tensor) -> Tensor:
        return entropy(logits, target) + dice_loss(logits, target)

    return {"ce": entropy, "weighted": entropy, "dice": dice_loss, "ce+dice": both, "bce": binary_loss}[name]


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return one minus the mean soft Dice of the classes that occur in the batch."""
    known = (target != IGNORED).unsqueeze(1)
    chances = logits.softmax(1) * known
    truth = _one_hot(target, logits.shape[1]) * known
    axes = (0, *range(2, logits.ndim))
    shared, total = (chances * truth).sum(axes), (chances + truth).sum(axes)
    present = truth.sum(axes) > 0
    overlap = (2 * shared + 1e-5) / (total + 1e-5)
    return 1 - overlap[present].mean() if bool(present.any()) else logits.sum() * 0


def binary_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of every class against the rest."""
    known = (target != IGNORED).unsqueeze(1).expand_as(logits)
    if not bool(known.any()):
        return logits.sum() * 0
    return functional.binary_cross_entropy_with_logits(logits[known], _one_hot(target, logits.shape[1])[known])


def _one_hot(target: Tensor, classes: int) -> Tensor:
    return functional.one_hot(target.clamp(min=0), classes).movedim(-1, 1).to(torch.float32)


def _weights(samples: Sequence[Sample], classes: int) -> Tensor:
    """Return weights that grow as a class becomes rarer, one on average."""
    counts = np.zeros(classes)
    for sample in samples:
        counts += np.bincount(sample.classes[sample.classes != IGNORED], minlength=classes)
    share = np.maximum(counts / max(counts.sum(), 1), _RAREST / classes)
    weight = 1 / np.sqrt(share)
    return torch.tensor(weight / weight.mean(), dtype=torch.float32)
