"""The learning curve of a fit by epochs, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastloss.linear_model._sgd_history import History

# Paul Tol's bright scheme: told apart also without colour vision
_TRAINING, _VALIDATION, _MARK = "#4477aa", "#ee6677", "#bbbbbb"


def plot_history(history: History, title: str) -> Figure:
    """Draw losses, and the scores if there are any, against epochs."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "plot needs matplotlib, which is not installed: pip install 'fastloss[demo]'"
        ) from None
    scored = not np.isnan(history.validation_score).all()
    figure = Figure(figsize=(10.0 if scored else 5.4, 3.8), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # no display, and pyplot is left alone
    panels = figure.subplots(1, 2) if scored else [figure.subplots()]
    epochs = np.arange(1, len(history) + 1)
    panels[0].plot(epochs, history.train_loss, color=_TRAINING, label="training loss")
    if not np.isnan(history.validation_loss).all():
        panels[0].plot(epochs, history.validation_loss, color=_VALIDATION, label="validation loss")
    if scored:
        panels[1].plot(
            epochs, history.validation_score, color=_VALIDATION, label="validation score"
        )
    for axes in panels:
        _mark(axes, history)
        axes.set_xlabel("epoch")
        axes.grid(color="#e6e6e6", lw=0.8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.legend(frameon=False)
    panels[0].set_title(title, fontsize=10.5)
    return figure


def _mark(axes: Any, history: History) -> None:
    """Mark the best epoch, and from where on the fit overfits."""
    if history.best_epoch is not None:
        axes.axvline(history.best_epoch, color=_MARK, lw=1.0, ls=":", label="best epoch")
    if history.overfitting_epoch is not None:
        axes.axvspan(
            history.overfitting_epoch, len(history), color=_MARK, alpha=0.25, lw=0, label="overfits"
        )
