"""Log loss with its gradient: against the peers in memory, and alone in the L1 cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS, NUMPY, SKLEARN, TORCH, make_cases, make_fastloss
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import make_workload

SUBJECT = "LogLoss.loss_gradient"
FACTORS = {
    "float64": {SKLEARN: 12.0, TORCH: 5.0, NUMPY: 9.0},
    "float32": {SKLEARN: 30.0, TORCH: 6.0, NUMPY: 15.0},
}
# Nanoseconds per element with everything in L1, by instruction set.
IN_CACHE = {
    "v4": {"float64": 0.9, "float32": 0.32},
    "v3": {"float64": 1.8, "float32": 0.7},
}
# Two sizes that fit an L1 of 48 KiB with all buffers; the slope between them is the kernel's own
# time, without that of the call.
IN_CACHE_SIZES = {"float64": (512, 1536), "float32": (1024, 3072)}


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    n = settings.size(20_000_000)
    for dtype, factors in FACTORS.items():
        settings.say(f"{SUBJECT} {dtype}, {n:,}")
        workload = make_workload("log_loss", n=n, dtype=dtype, n_threads=settings.n_threads)
        timings = interleaved(make_cases(workload), repeats=settings.repeats)
        for peer, factor in factors.items():
            if peer in timings.samples:
                what = f"{dtype}, n = {n:,}: {timings.median(FASTLOSS) / n * 1e9:.2f} ns/element"
                ratio = timings.ratio(peer, FASTLOSS)
                targets.append(Target(SUBJECT, what, peer, factor, ratio))
    for isa, bounds in IN_CACHE.items():
        settings.say(f"{SUBJECT} in L1, {isa}")
        measured = in_cache(isa)
        if measured is None:
            continue
        targets += [
            Target(
                SUBJECT, f"{dtype} in L1, {isa}", "per element", bound, measured[dtype], False, "ns"
            )
            for dtype, bound in bounds.items()
        ]
    return targets


def in_cache(isa: str, loss: str = "log_loss") -> dict[str, float] | None:
    """Return nanoseconds per element in L1, one thread, in a process of the instruction set.

    Parameters
    ----------
    isa : str
        A value of ``FASTLOSS_ISA``.
    loss : str
        The loss to time.

    Returns
    -------
    dict of str to float or None
        By dtype; None where the machine does not have the instruction set.
    """
    command = [sys.executable, "-m", "benchmarks.log_loss", loss]
    environment = {**os.environ, "FASTLOSS_ISA": isa}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _measure_in_cache(loss: str) -> dict[str, float]:
    """Return the slope between the two sizes, by dtype, in this process."""
    slopes = {}
    for dtype, sizes in IN_CACHE_SIZES.items():
        cases = {}
        for n in sizes:
            workload = make_workload(loss, n=n, dtype=dtype, n_threads=1)
            cases[str(n)] = make_fastloss(workload)
        # many samples, each shorter than a time slice: the best of them ran undisturbed
        timings = interleaved(cases, repeats=500, sample_seconds=5e-4, pause=0.0)
        small, large = (timings.best(str(n)) for n in sizes)
        slopes[dtype] = (large - small) / (sizes[1] - sizes[0]) * 1e9
    return slopes


if __name__ == "__main__":
    print(json.dumps(_measure_in_cache(sys.argv[1])))
