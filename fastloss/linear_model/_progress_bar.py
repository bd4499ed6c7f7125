"""A bar for the callback of a fit, drawn by rich."""

from __future__ import annotations

import math
from typing import Any

from fastloss.linear_model._progress import FitProgress


class ProgressBar:
    """
    A progress bar for ``fit(..., callback=ProgressBar())``.

    It fills as the gradient's norm falls from where it began to the tolerance, on a logarithmic
    scale, or with the iterations if those run out first; of `SGDClassifier` and `SGDRegressor` with
    the epochs. Needs rich, which is in the extra ``fastloss[demo]``.

    Parameters
    ----------
    description : str
        What stands before the bar.
    console : rich.console.Console, optional
        Where to draw; the terminal if not given.

    Raises
    ------
    ImportError
        If rich is not installed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastloss.linear_model import LogisticRegression, ProgressBar
    >>> model = LogisticRegression().fit(*load_iris(return_X_y=True), callback=ProgressBar())
    ... # doctest: +SKIP
    """

    def __init__(self, description: str = "fit", console: Any = None) -> None:
        try:
            import rich.progress  # noqa: F401
        except ImportError:
            raise ImportError(
                "ProgressBar needs rich, which is not installed: pip install 'fastloss[demo]'"
            ) from None
        self.description, self.console = description, console
        self._bar: Any = None
        self._task: Any = None
        self._first = 0.0
        self._share = 0.0

    def __call__(self, progress: FitProgress) -> None:
        """Draw the state of a fit."""
        if self._bar is None or progress.iteration == 0:
            self.close()
            self._open(progress)
        self._share = max(self._share, self._completed(progress))
        self._bar.update(
            self._task,
            completed=self._share,
            iteration=progress.iteration,
            objective=progress.objective,
            norm=_gradient(progress),
        )

    def close(self) -> None:
        """End the bar; the fit calls this."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self, progress: FitProgress) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(
                "{task.fields[iteration]:d} {task.fields[unit]}, "
                "objective {task.fields[objective]:.6g}{task.fields[norm]}"
            ),
            TimeElapsedColumn(),
            console=self.console,
        )
        self._first, self._share = progress.gradient_norm, 0.0
        self._task = self._bar.add_task(
            self.description,
            total=1.0,
            iteration=progress.iteration,
            objective=progress.objective,
            norm=_gradient(progress),
            unit="epochs" if math.isnan(progress.gradient_norm) else "iterations",
        )
        self._bar.start()

    def _completed(self, progress: FitProgress) -> float:
        """Return a number from 0 to 1."""
        norm, tol = progress.gradient_norm, progress.tol
        if norm <= tol:
            return 1.0
        share = progress.iteration / max(progress.max_iter, 1)
        if tol > 0 and math.isfinite(self._first) and self._first > tol:
            share = max(share, math.log(self._first / norm) / math.log(self._first / tol))
        return min(max(share, 0.0), 1.0)


def _gradient(progress: FitProgress) -> str:
    """Return the norm of the gradient, if there is one."""
    norm = progress.gradient_norm
    return "" if math.isnan(norm) else f", gradient {norm:.1e}"
