"""What `fastloss bench` times: every loss has data, and the peers compute the same numbers."""

import numpy as np
import pytest

import fastloss as fl
from fastloss.bench import measure as timed
from fastloss.bench.measure import CACHED_VALUES, IN_CACHE, LIMIT, Configuration
from fastloss.bench.numpy_losses import NUMPY_LOSSES, WITHOUT_HESSIAN
from fastloss.bench.peers import FASTLOSS, NUMPY, make_cases
from fastloss.bench.workloads import make_workload


def test_every_loss_is_written_in_numpy():
    assert set(NUMPY_LOSSES) == set(fl.available_losses())


@pytest.mark.parametrize("loss", fl.available_losses())
@pytest.mark.parametrize("operation", ["loss", "loss_gradient", "loss_gradient_hessian"])
def test_numpy_computes_the_same(loss, operation):
    if loss in ("probit", "gaussian_crps"):
        pytest.importorskip("scipy")  # NumPy has no normal distribution
    workload = make_workload(loss, operation, n=3000)
    cases = make_cases(workload, [NUMPY])
    ours = cases[FASTLOSS]()
    if NUMPY not in cases:
        assert "hessian" in operation
        assert loss in WITHOUT_HESSIAN
        return
    theirs = cases[NUMPY]()
    ours = ours if isinstance(ours, tuple) else (ours,)
    assert len(theirs) == len(ours)
    for mine, other in zip(ours, theirs, strict=True):
        scale = np.abs(np.asarray(mine)).max()
        np.testing.assert_allclose(other, mine, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("loss", fl.available_losses())
def test_torch_and_scikit_learn_run(loss):
    pytest.importorskip("torch")
    workload = make_workload(loss, "loss_gradient", n=3000, dtype="float32")
    for name, case in make_cases(workload).items():
        if name == "torch":
            gradient = case().numpy()
            ours = make_cases(workload, [])[FASTLOSS]()[1]
            factor = 0.5 if loss == "squared_error" and not np.allclose(gradient, ours) else 1.0
            assert factor == 1.0
            np.testing.assert_allclose(gradient, ours, rtol=2e-4, atol=2e-5 * np.abs(ours).max())
        else:
            case()


def test_what_is_timed_in_the_cache_is_a_threads_share(monkeypatch):
    computed = []

    def counting(workload):
        return lambda: computed.append(workload.values)

    asked = Configuration("crammer_singer", "loss_gradient", "float64", 40 * CACHED_VALUES, 2, 10)
    monkeypatch.setattr(timed, "make_fastloss", counting)
    timed.in_cache_share(asked)()
    assert max(computed) <= CACHED_VALUES
    assert sum(computed) == pytest.approx(20 * CACHED_VALUES, rel=0.01)


def test_the_time_in_the_cache_is_optional():
    asked = Configuration("hinge", "loss_gradient", "float32", 3000, 1, 10)
    assert set(timed.measure(asked, [], 1, in_cache=True).ratios) == {IN_CACHE, LIMIT}
    assert set(timed.measure(asked, [], 1).ratios) == {LIMIT}
