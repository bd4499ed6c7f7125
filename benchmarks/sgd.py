"""The step with momentum: one large array, and many small ones in a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS, NUMPY, installed_peers
from fastloss.bench.timing import interleaved

SUBJECT = "sgd_step with momentum, float32"
LR = 0.01
MOMENTUM = 0.9
FUSED = "torch SGD, fused"
DEFAULT = "torch SGD, default"

Arrays = list[NDArray[np.float32]]


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject."""
    n = settings.size(10_000_000)
    settings.say(f"{SUBJECT}, {n:,}")
    timings = interleaved(make_steps([n], settings.n_threads), repeats=settings.repeats)
    what = f"n = {n:,}: {timings.median(FASTLOSS) / n * 1e9:.2f} ns/element"
    bounds = {FUSED: 1.0, NUMPY: 5.0}
    targets = [
        Target(SUBJECT, what, other, bound, timings.ratio(other, FASTLOSS))
        for other, bound in bounds.items()
        if other in timings.samples
    ]
    settings.say(f"{SUBJECT}, 200 arrays of 1,000")
    timings = interleaved(make_steps([1000] * 200, settings.n_threads), repeats=settings.repeats)
    what = f"200 arrays of 1,000 in a loop: {timings.median(FASTLOSS) * 1e6:.0f} µs"
    return targets + [
        Target(SUBJECT, what, other, 5.0, timings.ratio(other, FASTLOSS))
        for other in (DEFAULT, FUSED)
        if other in timings.samples
    ]


def make_steps(sizes: list[int], n_threads: int) -> dict[str, Callable[[], object]]:
    """Return one step over arrays of these sizes, by each implementation."""
    rng = np.random.default_rng(20130101)

    def draw() -> Arrays:
        return [rng.standard_normal(n, dtype=np.float32) for n in sizes]

    gradients = draw()
    steps: dict[str, Callable[[], object]] = {
        FASTLOSS: _fastloss_step(draw(), gradients, draw(), n_threads),
        NUMPY: _numpy_step(draw(), gradients, draw()),
    }
    if "torch" in installed_peers():
        steps[DEFAULT] = _torch_step(draw(), gradients, n_threads, fused=None)
        steps[FUSED] = _torch_step(draw(), gradients, n_threads, fused=True)
    return steps


def _fastloss_step(
    params: Arrays, gradients: Arrays, buffers: Arrays, n_threads: int
) -> Callable[[], object]:
    step = fl.sgd_step

    def call() -> None:
        for param, gradient, buffer in zip(params, gradients, buffers, strict=True):
            step(
                param,
                gradient,
                lr=LR,
                momentum=MOMENTUM,
                momentum_buffer=buffer,
                n_threads=n_threads,
            )

    return call


def _numpy_step(params: Arrays, gradients: Arrays, buffers: Arrays) -> Callable[[], object]:
    def call() -> None:
        for param, gradient, buffer in zip(params, gradients, buffers, strict=True):
            buffer *= MOMENTUM
            buffer += gradient
            param -= LR * buffer

    return call


def _torch_step(
    params: Arrays, gradients: Arrays, n_threads: int, *, fused: bool | None
) -> Callable[[], object]:
    import torch

    tensors: list[Any] = []
    for param, gradient in zip(params, gradients, strict=True):
        tensor = torch.from_numpy(param).requires_grad_()
        tensor.grad = torch.from_numpy(gradient)
        tensors.append(tensor)
    optimizer = torch.optim.SGD(tensors, lr=LR, momentum=MOMENTUM, fused=fused)

    def call() -> None:
        torch.set_num_threads(n_threads)
        optimizer.step()

    return call
