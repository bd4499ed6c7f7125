"""The losses without transcendentals: as fast as a plain pass over memory in the same run."""

from __future__ import annotations

from benchmarks.target import Settings, Target
from fastloss.bench.limit import limit_passes
from fastloss.bench.peers import FASTLOSS, make_fastloss
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import DTYPES, make_workload

SUBJECT = "Memory speed, loss_gradient"
LOSSES = ("squared_error", "absolute_error", "huber", "pinball", "hinge")
FACTOR = 1.15


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    n = settings.size(20_000_000)
    return [one(settings, loss, dtype, n) for dtype in DTYPES for loss in LOSSES]


def one(settings: Settings, loss: str, dtype: str, n: int) -> Target:
    """Time one loss and the plain passes over the same arrays."""
    settings.say(f"{loss} {dtype}, {n:,}")
    workload = make_workload(loss, n=n, dtype=dtype, n_threads=settings.n_threads)
    inputs = [workload.y_true, workload.raw_prediction]
    passes = limit_passes(inputs, workload.outputs, settings.n_threads)
    cases = {FASTLOSS: make_fastloss(workload), **passes}
    timings = interleaved(cases, repeats=2 * settings.repeats)
    limit = min(passes, key=timings.median)
    what = f"{loss} {dtype}, n = {n:,}: {timings.median(FASTLOSS) / n * 1e9:.2f} ns/element"
    against = f"plain pass, {'non-temporal' if 'stream' in limit else 'ordinary'} stores"
    return Target(SUBJECT, what, against, FACTOR, timings.ratio(FASTLOSS, limit), at_least=False)
