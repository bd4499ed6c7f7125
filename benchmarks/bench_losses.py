"""
Regression suite: loss_gradient of every loss by every implementation.

``python -m pytest benchmarks/bench_losses.py -o python_functions=bench_* -o python_files=bench_*``
with ``--benchmark-group-by=param:loss,param:dtype`` compares the sides;
``--benchmark-autosave`` and ``--benchmark-compare`` compare with an earlier day.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import fastloss as fl
from fastloss.bench.peers import FASTLOSS, PEERS, installed_peers, make_cases
from fastloss.bench.workloads import DTYPES, make_workload

N = 200_000


@pytest.mark.parametrize("side", [FASTLOSS, *PEERS])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", fl.available_losses())
def bench_loss_gradient(benchmark: BenchmarkFixture, loss: str, dtype: str, side: str) -> None:
    peers = [side] if side in installed_peers() else []
    cases = make_cases(make_workload(loss, n=N, dtype=dtype), peers)
    if side not in cases:
        pytest.skip(f"{side} is not installed or has no {loss}")
    benchmark(cases[side])
