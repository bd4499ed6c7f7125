"""One call with a handful of samples, through the public object."""

from __future__ import annotations

import timeit

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.workloads import make_workload

SUBJECT = "Call overhead"
BOUNDS = {1: 0.15, 100: 0.3}
# Many runs, each shorter than a time slice: the best of them ran undisturbed.
CALLS = 1000
RUNS = 1000
LOSS = "log_loss"


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    settings.say(SUBJECT)
    return [
        Target(
            SUBJECT,
            f"LogLoss().loss_gradient with out, float64, n = {n}",
            "one call",
            bound,
            microseconds(n, RUNS),
            at_least=False,
            unit="µs",
        )
        for n, bound in BOUNDS.items()
    ]


def microseconds(n: int, runs: int) -> float:
    """Return the time of one call, the least of several runs."""
    workload = make_workload(LOSS, n=n, dtype="float64")
    names = {
        "method": fl.get_loss(LOSS).loss_gradient,
        "y": workload.y_true,
        "f": workload.raw_prediction,
        "out": (None, workload.gradient),
    }
    seconds = timeit.repeat("method(y, f, out=out)", globals=names, number=CALLS, repeat=runs)
    return min(seconds) / CALLS * 1e6
