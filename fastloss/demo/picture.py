"""The learning-curve picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastloss.demo.comparison import TaskResult

_TRAINING = "#4477aa"
_VALIDATION = "#cc6633"
_OVERFIT = "#f6dcd2"
_PRODUCTS = "#c9ced6"
_STEP = "#228833"
_INK = "#333333"

_OUTCOMES = {
    "overfitting": ": overfitting after epoch {}",
    "plateau": ": no overfitting, converged",
    "diverged": ": unstable",
    "epoch limit": ": no overfitting so far",
}


def draw(results: Sequence[TaskResult], path: Path) -> None:
    """Draw one panel of learning curves per task and the times below them.

    The figure has a canvas of its own (Agg), so that no display is needed and the state of pyplot
    is left alone.

    Parameters
    ----------
    results : sequence of TaskResult
        What to draw.
    path : Path
        The PNG file.
    """
    rows = -(-len(results) // 2)
    figure = Figure(figsize=(12.0, 3.6 * rows + 3.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(rows + 1, 2, height_ratios=[1.0] * rows + [0.9])
    for i, result in enumerate(results):
        _draw_curves(figure.add_subplot(grid[i // 2, i % 2]), result)
    _draw_times(figure.add_subplot(grid[rows, :]), results)
    figure.suptitle(
        "fastloss demo: linear models on the flights out of New York in 2013",
        fontsize=15,
        fontweight="bold",
        color=_INK,
    )
    figure.savefig(path, format="png", metadata={"Software": "fastloss demo"})


def _draw_curves(axes: Axes, result: TaskResult) -> None:
    """Training and validation loss over the epochs, with the best epoch marked."""
    run, verdict = result.native, result.native.verdict
    epochs = range(1, run.epochs + 1)
    best = verdict.best_epoch if verdict else 0
    unit = result.facts.loss_unit

    # The held-out days are other days: their loss can lie far from that of the training days, and
    # on one scale both bends would vanish in the gap. Then each curve gets its own scale, in its
    # colour.
    apart = min(run.train_loss[1:], default=0.0) > max(run.validation_loss[1:], default=0.0)
    right = axes.twinx() if apart else axes
    if verdict and verdict.reason == "overfitting":
        axes.axvspan(best, run.epochs, color=_OVERFIT, lw=0, label="overfitting")
    axes.plot(epochs, run.train_loss, color=_TRAINING, lw=2, label="training")
    right.plot(epochs, run.validation_loss, color=_VALIDATION, lw=2, label="validation")
    if best:
        lowest = run.validation_loss[best - 1]
        right.axvline(best, color=_VALIDATION, lw=1, ls=":")
        right.plot(
            best,
            lowest,
            "o",
            color=_VALIDATION,
            ms=8,
            mec="white",
            mew=1.5,
            label=f"best: {lowest:.4f}, epoch {best}",
        )
    if apart:
        axes.set_ylabel(f"training loss ({unit})", color=_TRAINING)
        right.set_ylabel(f"validation loss ({unit})", color=_VALIDATION)
        axes.tick_params(axis="y", colors=_TRAINING)
        right.tick_params(axis="y", colors=_VALIDATION)
        _fit_height(axes, run.train_loss)
        _fit_height(right, run.validation_loss)
        right.spines[["top"]].set_visible(False)
    else:
        axes.set_ylabel(f"mean loss ({unit})")
        _fit_height(axes, run.train_loss, run.validation_loss)
    outcome = _OUTCOMES[verdict.reason].format(best) if verdict else ""
    axes.set_title(
        f"{result.facts.title}\n{result.facts.loss_label}{outcome}", fontsize=11, color=_INK
    )
    axes.set_xlabel("epoch")
    axes.set_xlim(1, max(2, run.epochs))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = {
        label: handle for part in dict.fromkeys((axes, right)) for handle, label in _legend_of(part)
    }
    right.legend(
        handles.values(),
        handles.keys(),
        frameon=False,
        ncols=2,
        fontsize=9,
        loc="upper right",
    )
    _tidy(axes, keep_right=apart)


def _legend_of(axes: Axes) -> Iterable[tuple[Any, str]]:
    """Handles and labels of the legend of one axes."""
    handles, labels = axes.get_legend_handles_labels()
    return zip(handles, labels, strict=True)


def _fit_height(axes: Axes, *curves: list[float]) -> None:
    """Show the bend, not the plunge: the first epoch may leave the frame."""
    shown = [loss for curve in curves for loss in (curve[1:] or curve) if math.isfinite(loss)]
    if not shown:
        return
    low, high = min(shown), max(shown)
    height = (high - low) or abs(high) or 1.0
    axes.set_ylim(low - 0.08 * height, high + 0.4 * height)


def _draw_times(axes: Axes, results: Sequence[TaskResult]) -> None:
    """Stacked bars of the time per epoch: matrix products, loss, step."""
    thickness = 0.36
    longest = max(max(r.native_timing.epoch, r.numpy_timing.epoch) for r in results)
    for i, result in enumerate(results):
        sides = (("fastloss", result.native_timing), ("NumPy", result.numpy_timing))
        for j, (side, timing) in enumerate(sides):
            y = i + (j - 0.5) * (thickness + 0.04)
            left = 0.0
            for width, color in (
                (timing.products, _PRODUCTS),
                (timing.loss, _TRAINING),
                (timing.step, _STEP),
            ):
                axes.barh(y, width, thickness, left=left, color=color)
                left += width
            text = f"{side}: loss + step {timing.loss_and_step:.2f} of {timing.epoch:.1f} ms"
            if j:
                text += (
                    f", {result.loss_and_step_ratio:.1f}× as long, "
                    f"the whole epoch {result.epoch_ratio:.2f}×"
                )
            axes.text(left + 0.01 * longest, y, text, va="center", fontsize=9, color=_INK)
    for color, label in (
        (_PRODUCTS, "matrix products, by the same BLAS on both sides"),
        (_TRAINING, "loss and gradient"),
        (_STEP, "SGD step"),
    ):
        axes.barh(0, 0, color=color, label=label)
    axes.set_yticks(range(len(results)), [result.facts.loss_label for result in results])
    axes.invert_yaxis()
    axes.set_xlim(0, 2.5 * longest)
    axes.set_xlabel("milliseconds per epoch (mean of the fastest quarter)")
    axes.set_title("the same training with fastloss and with NumPy", fontsize=11, color=_INK)
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    _tidy(axes)
    axes.grid(axis="y", visible=False)


def _tidy(axes: Axes, *, keep_right: bool = False) -> None:
    """Light grid, no box."""
    axes.spines["top"].set_visible(False)
    axes.spines["right"].set_visible(keep_right)
    axes.grid(color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
