"""The learning curve, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastloss.train.problem import Outcome

_TRAINING, _VALIDATION, _INK = "#4477aa", "#cc6633", "#333333"


def draw(outcome: Outcome, title: str, path: Path) -> None:
    """
    Draw the losses of training and validation step by step.

    Parameters
    ----------
    outcome : Outcome
        What the training came to.
    title : str
        Above the picture.
    path : Path
        The PNG file.
    """
    figure = Figure(figsize=(8.0, 4.5), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # no display is needed, and pyplot is left alone
    axes = figure.add_subplot()
    several = len(outcome.curves) > 1
    for k, curve in enumerate(outcome.curves):
        steps = range(len(curve.training))
        style: dict[str, Any] = {"lw": 1.0, "alpha": 0.7} if several else {"lw": 2.0}
        of = ", a line a class" if several else ""
        labels = (f"training{of}", f"validation{of}") if k == 0 else (None, None)
        axes.plot(steps, curve.training, color=_TRAINING, label=labels[0], **style)
        axes.plot(steps, curve.validation, color=_VALIDATION, label=labels[1], **style)
        if not several and curve.points and math.isfinite(curve.validation[curve.best]):
            lowest = curve.validation[curve.best]
            axes.axvline(curve.best, color=_VALIDATION, lw=1, ls=":")
            axes.plot(
                curve.best,
                lowest,
                "o",
                color=_VALIDATION,
                ms=8,
                mec="white",
                mew=1.5,
                label=f"lowest: {lowest:.5g}, {outcome.unit} {curve.best}",
            )
    low, high = _limits(outcome)
    axes.set_ylim(low, high)
    axes.set_xlabel(outcome.unit)
    axes.set_ylabel("mean loss")
    axes.set_title(title, fontsize=11, color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if any(curve.points for curve in outcome.curves):
        axes.legend(frameon=False, fontsize=9, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": "fastloss train"})


def _limits(outcome: Outcome) -> tuple[float, float]:
    """Return limits that show the bend, not the plunge: the first steps may leave the frame."""
    shown = [
        loss
        for curve in outcome.curves
        for losses in (curve.training, curve.validation)
        for loss in _behind_the_plunge(losses)
        if math.isfinite(loss)
    ]
    if not shown:
        return 0.0, 1.0
    low, high = min(shown), max(shown)
    height = (high - low) or abs(high) or 1.0
    return low - 0.08 * height, high + 0.3 * height


def _behind_the_plunge(losses: Sequence[float]) -> Sequence[float]:
    return losses[min(len(losses) // 10, len(losses) - 1) :]
