"""How fits went, drawn: objective and gradient against time and iterations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Paul Tol's bright scheme: told apart also without colour vision
_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#333333")


def plot_convergence(*estimators: Any, labels: Sequence[str] | None = None) -> Figure:
    """
    Draw how the fits of `fastloss.linear_model` converged.

    Left, by time, how far the objective is above the lowest of the fit; right, by iteration, the norm
    of the gradient, with the tolerance as a dotted line. Needs matplotlib, which is in the extra
    ``fastloss[demo]``.

    Parameters
    ----------
    *estimators : estimator
        Fitted estimators, or their `convergence_`.
    labels : sequence of str, optional
        Names for the legend; by default those of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        With a canvas of its own: ``figure.savefig("fit.png")``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If there is no estimator, or one is not fitted.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.plot_convergence(model).savefig("fit.png")  # doctest: +SKIP
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "plot_convergence needs matplotlib, which is not installed: pip install 'fastloss[demo]'"
        ) from None
    if not estimators:
        raise TypeError("plot_convergence: expected at least one fitted estimator")
    if labels is not None and len(labels) != len(estimators):
        raise ValueError(f"labels has {len(labels)} entries: expected one for each estimator")
    figure = Figure(figsize=(10.0, 3.8), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # no display, and pyplot is left alone
    left, right = figure.subplots(1, 2)
    for number, (label, record) in enumerate(_records(estimators, labels)):
        color = _COLORS[number % len(_COLORS)]
        above = record.objective - np.min(record.objective, initial=np.inf)
        left.plot(record.seconds, np.where(above > 0, above, np.nan), color=color, label=label)
        right.plot(record.gradient_norm, color=color, label=label)
        right.axhline(record.tol, color=color, lw=0.9, ls=":")
    for axes, x, y in (
        (left, "seconds", "objective above its lowest"),
        (right, "iteration", "norm of the gradient"),
    ):
        axes.set_yscale("log")
        axes.set_xlabel(x)
        axes.set_title(y, fontsize=10.5)
        axes.grid(color="#e6e6e6", lw=0.8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    right.legend(frameon=False)
    return figure


def _records(estimators: Sequence[Any], labels: Sequence[str] | None) -> Iterator[tuple[str, Any]]:
    """Return each record with its label; one against the rest there are several an estimator."""
    for number, estimator in enumerate(estimators):
        found = getattr(estimator, "convergence_", estimator)
        records = found if isinstance(found, list) else [found]
        name = labels[number] if labels is not None else type(estimator).__name__
        for k, record in enumerate(records):
            if hasattr(estimator, "history_"):
                raise TypeError(
                    f"{estimator!r}: no norms of gradients are recorded; history_.plot() draws its "
                    f"learning curve"
                )
            if not hasattr(record, "gradient_norm"):
                raise TypeError(
                    f"{estimator!r}: expected a fitted estimator of fastloss.linear_model"
                )
            yield (f"{name}, class {k}" if len(records) > 1 else name), record
