"""Timing a list of configurations: each loss, dtype, size and number of threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastloss.bench.limit import limit_passes
from fastloss.bench.peers import FASTLOSS, limit_inputs, make_cases, make_fastloss
from fastloss.bench.timing import interleaved
from fastloss.bench.workloads import make_workload

LIMIT = "memory limit"
IN_CACHE = "in cache"
#: Raw predictions in one call of the case in cache: few enough that all arrays stay in a second-level
#: cache of 256 KiB, many enough that the cost of a call does not count.
CACHED_VALUES = 8192


@dataclass(frozen=True)
class Configuration:
    """What one row of the table times; the fields are those of `Workload`."""

    loss: str
    operation: str
    dtype: str
    n: int
    n_threads: int
    n_classes: int


@dataclass(frozen=True)
class Measurement:
    """One row: seconds per call of every implementation, and their ratios to fastloss.

    Parameters
    ----------
    configuration : Configuration
        What was timed.
    values : int
        Raw predictions in a call.
    seconds : dict of str to float
        Median seconds per call, by implementation; "memory limit" is the fastest plain pass, "in
        cache", if measured, what fastloss's arithmetic takes by itself.
    ratios : dict of str to float
        The median over the rounds of its time over fastloss's: 5 means that fastloss is five times
        faster.
    """

    configuration: Configuration
    values: int
    seconds: dict[str, float]
    ratios: dict[str, float]

    def nanoseconds(self, name: str) -> float:
        """Return nanoseconds per raw prediction."""
        return self.seconds[name] / self.values * 1e9

    def as_json(self) -> dict[str, Any]:
        """Return the row for the JSON report."""
        return {
            **asdict(self.configuration),
            "values": self.values,
            "seconds": self.seconds,
            "ratios": self.ratios,
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Measurement:
        """Return the row that `as_json` wrote."""
        fields = Configuration.__dataclass_fields__
        configuration = Configuration(**{name: row[name] for name in fields})
        return cls(configuration, row["values"], row["seconds"], row["ratios"])


def configurations(
    losses: Sequence[str],
    operations: Sequence[str],
    dtypes: Sequence[str],
    sizes: Sequence[int],
    threads: Sequence[int],
    n_classes: int,
) -> list[Configuration]:
    """Return every combination, the losses innermost."""
    product = itertools.product(operations, sizes, threads, dtypes, losses)
    return [
        Configuration(loss, operation, dtype, n, n_threads, n_classes)
        for operation, n, n_threads, dtype, loss in product
    ]


def in_cache_share(configuration: Configuration) -> Callable[[], object]:
    """Return a call of fastloss on as many values as one thread has to do, all from the cache.

    Parameters
    ----------
    configuration : Configuration
        Its share of a thread is what is computed, some thousand values again and again.

    Returns
    -------
    callable
        What it takes is what the arithmetic takes where memory costs nothing.
    """
    c = configuration
    n = min(CACHED_VALUES, c.n)
    workload = make_workload(c.loss, c.operation, n=n, dtype=c.dtype, n_classes=c.n_classes)
    case = make_fastloss(workload)
    calls = max(1, round(c.n / (c.n_threads * workload.values)))

    def share() -> None:
        for _ in range(calls):
            case()

    return share


def measure(
    configuration: Configuration, peers: list[str], repeats: int, *, in_cache: bool = False
) -> Measurement:
    """Time one configuration.

    Parameters
    ----------
    configuration : Configuration
        What to time.
    peers : list of str
        Against whom.
    repeats : int
        Rounds.
    in_cache : bool
        Whether to time `in_cache_share` as well.

    Returns
    -------
    Measurement
        The row.
    """
    c = configuration
    workload = make_workload(
        c.loss,
        c.operation,
        n=c.n,
        dtype=c.dtype,
        n_threads=c.n_threads,
        n_classes=c.n_classes,
    )
    cases = make_cases(workload, peers)
    if in_cache:
        cases[IN_CACHE] = in_cache_share(c)
    inputs, labels = limit_inputs(workload)
    passes = limit_passes(inputs, workload.outputs, c.n_threads, labels)
    timings = interleaved({**cases, **passes}, repeats=repeats)
    seconds = {name: timings.median(name) for name in cases}
    ratios = {name: timings.ratio(name, FASTLOSS) for name in cases if name != FASTLOSS}
    limit = min(passes, key=timings.median)
    seconds[LIMIT] = timings.median(limit)
    ratios[LIMIT] = timings.ratio(limit, FASTLOSS)
    return Measurement(c, workload.values, seconds, ratios)


def measure_all(
    planned: Iterable[Configuration], peers: list[str], repeats: int, *, in_cache: bool = False
) -> Iterator[Measurement]:
    """Time one configuration after the other."""
    for configuration in planned:
        yield measure(configuration, peers, repeats, in_cache=in_cache)
