"""The optimizers, clipping and schedules beside torch's own."""

import inspect
import math

import numpy as np
import pytest
from helpers.optimizers import TORCH_NAMES, draw_settings

import fastloss as fl

torch = pytest.importorskip("torch")
SHAPES = [(37,), (3, 4), (), (0,), (2, 513)]
NOT_OURS = {"params", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"}


def parameter(array):
    return torch.from_numpy(array.copy()).requires_grad_()


def draw(rng, shape):
    return np.asarray(rng.normal(size=shape))


def pair(name, params, settings):
    tensors = [parameter(param) for param in params]
    theirs = getattr(torch.optim, name)(tensors, **settings)
    return getattr(fl.optim, name)(**settings), tensors, theirs


@pytest.mark.parametrize("name", TORCH_NAMES)
def test_names_and_defaults(name):
    ours = inspect.signature(getattr(fl.optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    assert {key: value.default for key, value in ours.items()} == {
        key: value.default for key, value in theirs.items() if key not in NOT_OURS
    }


@pytest.mark.parametrize("name", TORCH_NAMES)
@pytest.mark.parametrize("seed", range(25))
def test_matches_torch(name, seed):
    rng = np.random.default_rng(1000 + seed)
    settings = draw_settings(name, rng)
    params = [draw(rng, shape) for shape in SHAPES]
    ours, tensors, theirs = pair(name, params, settings)
    for step in range(8):
        grads = [None if rng.random() < 0.1 else draw(rng, shape) for shape in SHAPES]
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = None if grad is None else torch.from_numpy(grad.copy())
        if step == 5:
            ours.lr = theirs.param_groups[0]["lr"] = 0.03
        ours.step(params, grads)
        theirs.step()
        for param, tensor in zip(params, tensors, strict=True):
            np.testing.assert_allclose(param, tensor.detach().numpy(), rtol=1e-12, atol=1e-12)
    state = ours.state_dict()["state"]
    for position, tensor in enumerate(tensors):
        for key, value in theirs.state[tensor].items():
            if value is not None:
                np.testing.assert_allclose(
                    state[position][key], value.numpy(), rtol=1e-11, atol=1e-12
                )


@pytest.mark.parametrize("name", TORCH_NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_numbers_that_are_not_finite_spread_as_in_torch(name, seed):
    rng = np.random.default_rng(2000 + seed)
    settings = draw_settings(name, rng)
    param = np.ones(64)
    ours, (tensor,), theirs = pair(name, [param], settings)
    for _ in range(4):
        grad = rng.normal(size=64)
        grad[rng.integers(0, 32, size=6)] = rng.choice([np.nan, np.inf, -np.inf], size=6)
        tensor.grad = torch.from_numpy(grad.copy())
        ours.step(param, grad)
        theirs.step()
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(param, tensor.detach().numpy(), rtol=1e-12, atol=1e-12)


def sparse(rows, grads, shape):
    """A gradient as an embedding's backward pass makes it, repeated rows apart."""
    values = torch.from_numpy(grads.copy())
    with torch.sparse.check_sparse_tensor_invariants():
        return torch.sparse_coo_tensor(torch.from_numpy(rows)[None], values, shape)


@pytest.mark.parametrize(
    ("name", "theirs", "settings"),
    [
        ("Adam", "SparseAdam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}),
        ("Adam", "SparseAdam", {"lr": 0.1, "maximize": True}),
        ("Adagrad", "Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
        ("SGD", "SGD", {"lr": 0.1}),
    ],
)
def test_rows_match_torch(name, theirs, settings):
    rng = np.random.default_rng(7)
    table = rng.normal(size=(20, 5))
    tensor = parameter(table)
    ours = getattr(fl.optim, name)(**settings)
    optimizer = getattr(torch.optim, theirs)([tensor], **settings)
    for size in (8, 1, 30, 0, 12):
        rows = rng.integers(0, 20, size=size)
        grads = rng.normal(size=(size, 5))
        tensor.grad = sparse(rows, grads, table.shape)
        ours.step_rows(table, rows, grads)
        optimizer.step()
        np.testing.assert_allclose(table, tensor.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf, 3.0, 0.5])
@pytest.mark.parametrize("max_norm", [0.0, 0.7, 5.0, 1e6])
def test_clip_grad_norm_matches_torch(norm_type, max_norm):
    rng = np.random.default_rng(12)
    # torch has no infinity norm of an empty array
    shapes = [shape for shape in (*SHAPES, (5000,)) if 0 not in shape]
    grads = [draw(rng, shape) for shape in shapes]
    tensors = [torch.zeros(grad.shape, dtype=torch.float64) for grad in grads]
    for tensor, grad in zip(tensors, grads, strict=True):
        tensor.grad = torch.from_numpy(grad.copy())
    norm = fl.optim.clip_grad_norm(grads, max_norm, norm_type)
    theirs = torch.nn.utils.clip_grad_norm_(tensors, max_norm, norm_type)
    assert norm == pytest.approx(theirs.item(), rel=1e-12)
    for grad, tensor in zip(grads, tensors, strict=True):
        np.testing.assert_allclose(grad, tensor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clipping_of_what_is_not_finite_matches_torch(bad):
    grads = [np.array([1.0, bad, -bad]), np.array([2.0])]
    tensors = [torch.zeros(len(grad), dtype=torch.float64) for grad in grads]
    for clip, theirs in (
        (fl.optim.clip_grad_value, torch.nn.utils.clip_grad_value_),
        (fl.optim.clip_grad_norm, torch.nn.utils.clip_grad_norm_),
    ):
        copies = [grad.copy() for grad in grads]
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = torch.from_numpy(grad.copy())
        clip(copies, 1.5)
        theirs(tensors, 1.5)
        for copy, tensor in zip(copies, tensors, strict=True):
            np.testing.assert_array_equal(copy, tensor.grad.numpy())


def rates_of(scheduler, optimizer, steps):
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("ours", "name", "options", "steps"),
    [
        (
            fl.optim.Cosine(0.5, 40, minimum=0.01),
            "CosineAnnealingLR",
            {"T_max": 40, "eta_min": 0.01},
            41,
        ),
        (fl.optim.Step(0.5, every=7, factor=0.3), "StepLR", {"step_size": 7, "gamma": 0.3}, 40),
        (fl.optim.OneCycle(0.5, 50), "OneCycleLR", {"max_lr": 0.5, "total_steps": 50}, 50),
        (
            fl.optim.OneCycle(0.5, 50, rise=0.25, anneal="linear", three_phase=True),
            "OneCycleLR",
            {
                "max_lr": 0.5,
                "total_steps": 50,
                "pct_start": 0.25,
                "anneal_strategy": "linear",
                "three_phase": True,
            },
            50,
        ),
        (
            fl.optim.OneCycle(0.5, 33, rise=0.4, div_factor=10, final_div_factor=100),
            "OneCycleLR",
            {
                "max_lr": 0.5,
                "total_steps": 33,
                "pct_start": 0.4,
                "div_factor": 10,
                "final_div_factor": 100,
            },
            33,
        ),
        (
            fl.optim.WarmUp(9, 0.5),
            "LinearLR",
            {"start_factor": 0.1, "total_iters": 9},
            30,
        ),
    ],
)
def test_schedules_match_torch(ours, name, options, steps):
    tensor = torch.zeros(1, requires_grad=True)
    tensor.grad = torch.zeros(1)
    optimizer = torch.optim.SGD([tensor], lr=0.5)
    if name == "OneCycleLR":
        options = {**options, "cycle_momentum": False}
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    # torch goes on from the last rate and adds up roundings
    expected = rates_of(scheduler, optimizer, steps - 1)
    np.testing.assert_allclose([ours(step) for step in range(steps - 1)], expected, rtol=1e-10)
