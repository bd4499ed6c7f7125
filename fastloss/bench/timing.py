"""Timing several implementations of the same work so that their ratios can be trusted."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A case quicker than this is repeated within one sample until the sample lasts this long.
SAMPLE_SECONDS = 0.01
# Worker threads of OpenMP and of BLAS spin for some milliseconds after their work: they would take
# a core from the next case.
PAUSE_SECONDS = 0.02
# OpenBLAS's spin longer: 25 to 50 ms of processor time were measured after a product on two threads.
BLAS_PAUSE_SECONDS = 0.1
# Slower cases are not run once more, untimed, before each sample: they warm up by themselves.
WARM_UP_BELOW_SECONDS = 0.1


@dataclass(frozen=True)
class Timings:
    """Seconds per call of each case, one sample a round.

    Parameters
    ----------
    samples : dict of str to list of float
        By the name of the case; entry i of every list belongs to round i.
    """

    samples: dict[str, list[float]]

    def median(self, case: str) -> float:
        """Return the median seconds per call."""
        return statistics.median(self.samples[case])

    def best(self, case: str) -> float:
        """Return the least seconds per call."""
        return min(self.samples[case])

    def ratio(self, slow: str, fast: str) -> float:
        """Return the median over the rounds of the time of `slow` over that of `fast`."""
        pairs = zip(self.samples[slow], self.samples[fast], strict=True)
        return statistics.median(a / b for a, b in pairs)


def interleaved(
    cases: Mapping[str, Callable[[], object]],
    *,
    repeats: int = 7,
    sample_seconds: float = SAMPLE_SECONDS,
    pause: float = PAUSE_SECONDS,
) -> Timings:
    """Time every case once a round, round after round.

    The speed of a machine drifts by tens of percent within a minute; what is timed side by side
    drifts together.

    Parameters
    ----------
    cases : mapping of str to callable
        What to time, by name.
    repeats : int
        The number of rounds.
    sample_seconds : float
        How long one sample of a quick case lasts.
    pause : float
        Seconds of sleep before each sample: `BLAS_PAUSE_SECONDS` where a case calls BLAS.

    Returns
    -------
    Timings
        One sample per case and round.
    """
    calls = {name: _calls(case, sample_seconds) for name, case in cases.items()}
    samples: dict[str, list[float]] = {name: [] for name in cases}
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, case in cases.items():
                time.sleep(pause)
                if not samples[name] or samples[name][-1] < WARM_UP_BELOW_SECONDS:
                    case()
                samples[name].append(_seconds(case, calls[name]))
    finally:
        if was_enabled:
            gc.enable()
    return Timings(samples)


def _seconds(case: Callable[[], object], calls: int) -> float:
    """Seconds per call of `calls` calls."""
    start = time.perf_counter()
    for _ in range(calls):
        case()
    return (time.perf_counter() - start) / calls


def _calls(case: Callable[[], object], sample_seconds: float) -> int:
    """Calls that make one sample; the first call of all is not counted."""
    case()
    calls = 1
    while (elapsed := _seconds(case, calls) * calls) < sample_seconds / 4:
        calls *= 4
    return max(1, round(calls * sample_seconds / elapsed))
