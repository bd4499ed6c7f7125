"""
SGD on sparse rows as texts give: the time to the held-out loss that vowpalwabbit reaches.

vowpalwabbit takes the steps that are its default, adaptive, normalized and invariant, without penalty.
It reads the examples from its own cache, which is written before, while a thread of its own parses
them; or it is given, in Python, examples that were parsed before. `LinearSGD` takes Adagrad's steps in
one thread, from a CSR matrix. Both compute in float32 and may choose of as many learning rates the one
that comes first to the loss: the lowest that vowpalwabbit has after any pass at any rate, but for a
five-hundredth. An example in vowpalwabbit's memory takes some 30 KB: there are not more of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from benchmarks.sparse_text import FEATURES, Texts, texts
from benchmarks.target import Settings, Target
from fastloss.bench.peers import FASTLOSS
from fastloss.bench.timing import interleaved

SUBJECT = "Sparse rows, time to the same held-out loss"
CACHED = "vowpalwabbit, its cache"
PARSED = "vowpalwabbit, parsed examples"
RATES = (0.25, 0.5, 1.0, 2.0)
PASSES = 4
ROOM = 1.002
# Adagrad's sums begin with it: with 0, torch's default, a feature's first step is as long as any
INITIAL = 0.1


def run(settings: Settings) -> list[Target]:
    """Return the targets of this subject; none, and say so, without vowpalwabbit or SciPy."""
    try:
        import scipy  # noqa: F401
        import vowpalwabbit
    except ImportError as error:
        settings.say(
            f"{SUBJECT}: skipped, as {error.name} is not installed (dependency group bench)"
        )
        return []
    targets = []
    for data in texts(settings):
        settings.say(f"{SUBJECT}, {data.name}")
        with tempfile.TemporaryDirectory() as folder:
            targets += _compare(settings, data, Vowpal(vowpalwabbit.Workspace, data, Path(folder)))
    return targets


def _compare(settings: Settings, data: Texts, vowpal: Vowpal) -> list[Target]:
    losses = {
        (rate, n): vowpal.held_out_loss(vowpal.train(rate, n))
        for rate in RATES
        for n in range(1, PASSES + 1)
    }
    wanted = min(losses.values()) * ROOM
    rate, passes = _first(losses, wanted)
    ours = _our_losses(data)
    our_rate, epochs = _first(ours, wanted)
    cases: dict[str, Callable[[], object]] = {
        FASTLOSS: lambda: _train(data, our_rate, epochs),
        CACHED: lambda: vowpal.train(rate, passes),
        PARSED: lambda: vowpal.train_parsed(rate, passes),
    }
    timings = interleaved(cases, repeats=settings.repeats)
    n, entries = data.X.shape[0], data.X.nnz / data.X.shape[0]
    what = (
        f"{data.name}, {n:,} rows of {entries:.0f} of {FEATURES:,} features, log loss {wanted:.4f}: "
        f"{epochs} epochs, {timings.median(FASTLOSS) * 1e3:.0f} ms"
    )
    note = f"its passes: {passes}"
    return [
        Target(SUBJECT, what, other, 1.0, timings.ratio(other, FASTLOSS), note=note)
        for other in (CACHED, PARSED)
    ]


def _first(losses: dict[tuple[float, int], float], wanted: float) -> tuple[float, int]:
    """Return the rate and the number of passes that come first to a loss."""
    reached = [(passes, rate) for (rate, passes), loss in losses.items() if loss <= wanted]
    if not reached:
        raise RuntimeError(f"no rate of {RATES} reaches {wanted:.4f}: {losses}")
    passes, rate = min(reached)
    return rate, passes


def _machine(rate: float) -> fl.LinearSGD:
    optimizer = fl.optim.Adagrad(rate, initial_accumulator_value=INITIAL)
    return fl.LinearSGD(
        "log_loss", FEATURES, dtype=np.float32, penalty=None, optimizer=optimizer, n_threads=1
    )


def _train(data: Texts, rate: float, epochs: int) -> fl.LinearSGD:
    sgd = _machine(rate)
    for _ in range(epochs):
        sgd.epoch(data.X, data.y)
    return sgd


def _our_losses(data: Texts) -> dict[tuple[float, int], float]:
    losses = {}
    for rate in RATES:
        sgd = _machine(rate)
        for epoch in range(1, 2 * PASSES + 1):
            sgd.epoch(data.X, data.y)
            losses[rate, epoch] = log_loss(data, data.held_X @ sgd.coef + sgd.intercept)
    return losses


def log_loss(data: Texts, raw: NDArray[Any]) -> float:
    """Mean log loss of the held-out rows."""
    return float(np.mean(np.logaddexp(0.0, raw) - data.held_y * raw.astype(np.float64)))


class Vowpal:
    """
    Train vowpalwabbit from a cache or from parsed examples.

    Parameters
    ----------
    workspace : type
        Its class Workspace.
    data : Texts
        The rows.
    folder : Path
        Where its files go.
    """

    def __init__(self, workspace: Any, data: Texts, folder: Path) -> None:
        self.workspace, self.data = workspace, data
        self.file, self.cache = folder / "rows.txt", folder / "rows.cache"
        self.lines = _lines(data.X, data.y)
        self.file.write_text("\n".join(self.lines) + "\n")
        self.held = _lines(data.held_X, None)
        self.train(0.5, 1)  # writes the cache
        self.examples: list[Any] | None = None

    def train(self, rate: float, passes: int) -> Any:
        """Return what has learnt from the cache."""
        files = ["-d", str(self.file), "--cache_file", str(self.cache), "--passes", str(passes)]
        return self.workspace(arg_list=[*self._arguments(rate), *files, "--holdout_off"])

    def train_parsed(self, rate: float, passes: int) -> Any:
        """Return what has learnt from parsed examples, which are made at the first call."""
        learner = self.workspace(arg_list=self._arguments(rate))
        if self.examples is None:
            self.parser = self.workspace(arg_list=self._arguments(rate))
            self.examples = [self.parser.parse(line) for line in self.lines]
        learn = learner.learn
        for _ in range(passes):
            for example in self.examples:
                learn(example)
        return learner

    def held_out_loss(self, learner: Any) -> float:
        """Mean log loss of the held-out rows."""
        return log_loss(self.data, np.array([learner.predict(line) for line in self.held]))

    def _arguments(self, rate: float) -> list[str]:
        return ["--loss_function", "logistic", "-b", "18", "-l", str(rate), "--quiet"]


def _lines(X: Any, y: NDArray[np.int64] | None) -> list[str]:
    """Rows as vowpalwabbit reads them: a number is its own hash."""
    lines = []
    for i in range(X.shape[0]):
        row = slice(X.indptr[i], X.indptr[i + 1])
        pairs = zip(X.indices[row].tolist(), X.data[row].tolist(), strict=True)
        label = "" if y is None else ("1 " if y[i] else "-1 ")
        lines.append(label + "| " + " ".join(f"{j}:{x:.7g}" for j, x in pairs))
    return lines
