"""Steps of optimizers: one large array, and many small ones in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS, NUMPY, installed_peers
from fastloss.bench.timing import interleaved

SUBJECT = "optimizers, float32"
FUSED = "torch, fused"
DEFAULT = "torch, default"
LR = 0.01
OPTIONS: dict[str, dict[str, Any]] = {"SGD": {"momentum": 0.9}, "AdamW": {}}

Arrays = list[NDArray[np.float32]]


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    targets = []
    for name in OPTIONS:
        for sizes, bounds in (
            ([settings.size(10_000_000)], {FUSED: 1.0, NUMPY: 5.0}),
            ([1000] * 200, {FUSED: 5.0, DEFAULT: 5.0}),
        ):
            what = f"{name}, {len(sizes)} × {sizes[0]:,}"
            settings.say(f"{SUBJECT}: {what}")
            timings = interleaved(
                make_steps(name, sizes, settings.n_threads), repeats=settings.repeats
            )
            what += f": {timings.median(FASTLOSS) * 1e6:.0f} µs"
            targets += [
                Target(SUBJECT, what, other, bound, timings.ratio(other, FASTLOSS))
                for other, bound in bounds.items()
                if other in timings.samples
            ]
    return targets


def make_steps(name: str, sizes: list[int], n_threads: int) -> dict[str, Callable[[], object]]:
    """Return one step over arrays of these sizes, by each implementation."""
    rng = np.random.default_rng(20130101)

    def draw() -> Arrays:
        return [rng.standard_normal(n, dtype=np.float32) for n in sizes]

    gradients = draw()
    steps: dict[str, Callable[[], object]] = {
        FASTLOSS: _fastloss_step(name, draw(), gradients, n_threads),
        NUMPY: _NUMPY_STEPS[name](draw(), gradients),
    }
    if "torch" in installed_peers():
        steps[DEFAULT] = _torch_step(name, draw(), gradients, n_threads, fused=None)
        steps[FUSED] = _torch_step(name, draw(), gradients, n_threads, fused=True)
    return steps


def _fastloss_step(
    name: str, params: Arrays, gradients: Arrays, n_threads: int
) -> Callable[[], object]:
    optimizer = getattr(fl.optim, name)(lr=LR, **OPTIONS[name])
    return lambda: optimizer.step(params, gradients, n_threads=n_threads)


def _numpy_sgd(params: Arrays, gradients: Arrays) -> Callable[[], object]:
    buffers = [np.zeros_like(param) for param in params]

    def call() -> None:
        for param, gradient, buffer in zip(params, gradients, buffers, strict=True):
            buffer *= 0.9
            buffer += gradient
            param -= LR * buffer

    return call


def _numpy_adamw(params: Arrays, gradients: Arrays) -> Callable[[], object]:
    means = [np.zeros_like(param) for param in params]
    squares = [np.zeros_like(param) for param in params]
    step = 0

    def call() -> None:
        nonlocal step
        step += 1
        size, scale = LR / (1 - 0.9**step), 1 / np.sqrt(1 - 0.999**step)
        for param, gradient, mean, square in zip(params, gradients, means, squares, strict=True):
            mean += np.float32(0.1) * (gradient - mean)
            square *= np.float32(0.999)
            square += np.float32(0.001) * gradient * gradient
            param *= np.float32(1 - LR * 0.01)
            root = np.sqrt(square) * np.float32(scale) + np.float32(1e-8)
            param -= np.float32(size) * mean / root

    return call


_NUMPY_STEPS = {"SGD": _numpy_sgd, "AdamW": _numpy_adamw}


def _torch_step(
    name: str, params: Arrays, gradients: Arrays, n_threads: int, *, fused: bool | None
) -> Callable[[], object]:
    import torch

    tensors: list[Any] = []
    for param, gradient in zip(params, gradients, strict=True):
        tensor = torch.from_numpy(param).requires_grad_()
        tensor.grad = torch.from_numpy(gradient)
        tensors.append(tensor)
    optimizer = getattr(torch.optim, name)(tensors, lr=LR, fused=fused, **OPTIONS[name])

    def call() -> None:
        torch.set_num_threads(n_threads)
        optimizer.step()

    return call
