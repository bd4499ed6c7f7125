"""Softmax cross-entropy with integer labels, from two classes to the size of a vocabulary."""

from __future__ import annotations

import numpy as np

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS, NUMPY, SKLEARN, TORCH, make_cases
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import DTYPES, make_workload

SUBJECT = "CrossEntropy.loss_gradient"
FACTORS = {
    "float32": {
        2: {SKLEARN: 15.0, TORCH: 30.0},
        3: {SKLEARN: 15.0, TORCH: 30.0},
        10: {SKLEARN: 15.0, TORCH: 30.0},
        100: {TORCH: 3.0},
        1000: {TORCH: 4.0, NUMPY: 3.5},
        32000: {TORCH: 4.0, NUMPY: 3.5},
    },
    "float64": {c: {TORCH: 3.5} for c in (2, 3, 10, 100, 1000, 32000)},
}
# (N, C, H, W): classes of a segmentation
IMAGES = (16, 19, 128, 128)
# "as fast" is not measurable below the noise between two runs of one kernel
EQUAL = 1.05


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for dtype, by_classes in FACTORS.items():
        for n_classes, factors in by_classes.items():
            targets += one(settings, dtype, n_classes, factors)
    return targets + [axis(settings, dtype) for dtype in DTYPES]


def one(settings: Settings, dtype: str, n_classes: int, factors: dict[str, float]) -> list[Target]:
    """Time one number of classes."""
    settings.say(f"{SUBJECT} {dtype}, C = {n_classes}")
    workload = make_workload(
        "cross_entropy",
        n=settings.size(8_000_000),
        dtype=dtype,
        n_threads=settings.n_threads,
        n_classes=n_classes,
    )
    timings = interleaved(make_cases(workload, list(factors)), repeats=settings.repeats)
    per_logit = timings.median(FASTLOSS) / workload.values * 1e9
    return [
        Target(
            SUBJECT,
            f"{dtype}, C = {n_classes}: {per_logit:.3f} ns/logit",
            peer,
            factor,
            timings.ratio(peer, FASTLOSS),
        )
        for peer, factor in factors.items()
    ]


def axis(settings: Settings, dtype: str) -> Target:
    """Time the class axis 1 of images against as many samples with the class axis last."""
    settings.say(f"{SUBJECT} {dtype}, axis 1 of {IMAGES}")
    rng = np.random.default_rng(20130101)
    n, c, height, width = IMAGES
    raw = rng.standard_normal(IMAGES).astype(dtype) * 3
    labels = rng.integers(0, c, (n, height, width))
    last = np.ascontiguousarray(np.moveaxis(raw, 1, -1))
    gradients = np.zeros_like(raw), np.zeros_like(last)
    method = fl.get_loss("cross_entropy").loss_gradient
    cases = {
        "axis 1": lambda: method(
            labels, raw, axis=1, out=(None, gradients[0]), n_threads=settings.n_threads
        ),
        "last": lambda: method(
            labels, last, out=(None, gradients[1]), n_threads=settings.n_threads
        ),
    }
    timings = interleaved(cases, repeats=2 * settings.repeats)
    per_logit = timings.median("axis 1") / raw.size * 1e9
    return Target(
        SUBJECT,
        f"{dtype}, axis 1 of {IMAGES}: {per_logit:.3f} ns/logit",
        "class axis last",
        EQUAL,
        timings.ratio("axis 1", "last"),
        at_least=False,
    )
