"""What the switches of the cross-entropy cost, against the plain one in the same rounds."""

from __future__ import annotations

import numpy as np

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import DTYPES, make_workload

SUBJECT = "CrossEntropy's variants"
CLASSES = (3, 10, 100, 1000)
PLAIN = "the plain cross-entropy"
SLOWEST = 1.25


def variants(n_classes: int) -> dict[str, fl.CrossEntropy | fl.MulticlassFocal]:
    """The losses by what they add."""
    weights = np.linspace(0.5, 2.0, n_classes)
    return {
        PLAIN: fl.CrossEntropy(),
        "label_smoothing": fl.CrossEntropy(label_smoothing=0.1),
        "class_weight": fl.CrossEntropy(class_weight=weights),
        "z_loss": fl.CrossEntropy(z_loss=1e-4),
        "logit_adjustment": fl.CrossEntropy(logit_adjustment=np.log(weights)),
        "ignore_index": fl.CrossEntropy(ignore_index=-100),
        "MulticlassFocal": fl.MulticlassFocal(),
    }


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for dtype in DTYPES:
        for n_classes in CLASSES:
            settings.say(f"{SUBJECT} {dtype}, C = {n_classes}")
            targets += one(settings, dtype, n_classes)
    return targets


def one(settings: Settings, dtype: str, n_classes: int) -> list[Target]:
    """Time all variants for one number of classes."""
    work = make_workload(
        "cross_entropy",
        n=settings.size(4_000_000),
        dtype=dtype,
        n_threads=settings.n_threads,
        n_classes=n_classes,
    )
    gradient = np.zeros_like(work.raw_prediction)

    def case(loss):
        return lambda: loss.loss_gradient(
            work.y_true, work.raw_prediction, out=(None, gradient), n_threads=settings.n_threads
        )

    cases = {name: case(loss) for name, loss in variants(n_classes).items()}
    timings = interleaved(cases, repeats=settings.repeats)
    return [
        Target(
            SUBJECT,
            f"{dtype}, C = {n_classes}: {name}",
            PLAIN,
            SLOWEST,
            timings.ratio(name, PLAIN),
            at_least=False,
        )
        for name in cases
        if name != PLAIN
    ]
