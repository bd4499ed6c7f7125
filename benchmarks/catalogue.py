"""What is promised of the whole catalogue, read off the survey: means, peers, the memory's limit."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import geometric_mean

from benchmarks.target import Target
from fastloss.bench.measure import IN_CACHE, LIMIT, Measurement
from fastloss.bench.peers import NUMPY, SKLEARN, TORCH
from fastloss.bench.report import loss_label

SUBJECT = "The catalogue"
MEANS = {NUMPY: 10.0, SKLEARN: 10.0, TORCH: 5.0}
#: No exponential, logarithm, power or root: additions, products, comparisons, a division.
ARITHMETIC = frozenset(
    [
        "squared_error",
        "half_squared_error",
        "absolute_error",
        "pinball",
        "expectile",
        "epsilon_insensitive",
        "squared_epsilon_insensitive",
        "absolute_percentage_error",
        "huber",
        "smooth_l1",
        "geman_mc_clure",
        "tukey",
        "hinge",
        "squared_hinge",
        "smooth_hinge",
        "modified_huber",
        "perceptron",
        "nll",
        "multi_pinball",
        "multiclass_hinge",
        "crammer_singer",
        "multilabel_margin",
        "sparsemax",
    ]
)
#: Through a power, a normal distribution, or three and more transcendental functions a number.
CHAINS = frozenset(
    [
        "lq",
        "barron_robust",
        "tweedie",
        "tweedie_identity",
        "focal",
        "asymmetric",
        "generalized_cross_entropy",
        "probit",
        "gaussian_crps",
        "multiclass_focal",
        "multiclass_generalized_ce",
        "jensen_shannon",
    ]
)


def slowest_allowed(loss: str, dtype: str) -> float:
    """How many times a plain pass over the same arrays the loss may take."""
    if loss in ARITHMETIC:
        return 1.15
    if loss in CHAINS:
        return 4.0
    return 1.4 if dtype == "float32" else 1.6


def targets(survey: list[Measurement]) -> Iterator[Target]:
    """The targets that the survey answers."""
    for dtype in dict.fromkeys(m.configuration.dtype for m in survey):
        measured = [m for m in survey if m.configuration.dtype == dtype]
        for peer, factor in MEANS.items():
            compared = [
                m
                for m in measured
                if peer in m.ratios and (peer != SKLEARN or m.configuration.loss not in ARITHMETIC)
            ]
            if compared:
                what = f"{dtype}, geometric mean of {len(compared)} losses"
                mean = geometric_mean(m.ratios[peer] for m in compared)
                most = geometric_mean(m.ratios[peer] / m.ratios[LIMIT] for m in compared)
                note = f"a plain pass over the same arrays: {most:.3g}×"
                yield Target(SUBJECT, what, peer, factor, mean, note=note)
        for m in measured:
            for peer in MEANS:
                if peer in m.ratios:
                    what = f"{dtype}, {loss_label(m)}"
                    yield Target(SUBJECT, what, peer, 1.0, m.ratios[peer])
        for m in measured:
            note = ""
            if IN_CACHE in m.ratios:
                note = f"in cache {m.ratios[IN_CACHE] / m.ratios[LIMIT]:.3g}×"
            yield Target(
                f"{SUBJECT}, against the memory",
                f"{dtype}, {loss_label(m)}",
                "a plain pass",
                slowest_allowed(m.configuration.loss, dtype),
                1 / m.ratios[LIMIT],
                at_least=False,
                note=note,
            )
