"""repr() of what a fit tells and leaves: one line, however many features and epochs there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastloss.linear_model import LogisticRegression, SGDClassifier, SGDRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 400))
Y = (X[:, 0] > 0) * 1


def last_progress(model: Any) -> Any:
    """Fit, and return what the callback was given last."""
    told: list[Any] = []
    model.fit(X, Y, callback=lambda progress: told.append(progress))
    return told[-1]


@pytest.mark.parametrize("model", [SGDClassifier(max_iter=70, tol=None), LogisticRegression()])
def test_progress(model: Any) -> None:
    progress = last_progress(model)
    text = repr(progress)
    kind = type(progress).__name__
    assert text.startswith(
        f"{kind}(iteration={progress.iteration}, objective={progress.objective!r},"
    )
    assert text.endswith(")")
    assert "coef" not in text
    assert "\n" not in text
    assert len(text) < 400


def test_history() -> None:
    model = SGDClassifier("log_loss", max_iter=70, tol=None, random_state=0)
    history = model.fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:])).history_
    assert repr(history) == (
        f"History(epochs=70, train_loss=[..., {history.train_loss[-1]:.6g}], "
        f"validation_loss=[..., {history.validation_loss[-1]:.6g}], "
        f"best_epoch={history.best_epoch}, overfitting_epoch={history.overfitting_epoch}, "
        f"overfitting={history.overfitting!r}, converged=False, reason='max_iter epochs are over')"
    )
    once = SGDRegressor().partial_fit(X, Y).history_
    assert repr(once).startswith("History(epochs=1, train_loss=[..., ")


def test_convergence() -> None:
    model = LogisticRegression().fit(X, Y)
    told = model.convergence_
    assert repr(told) == (
        f"Convergence(iterations={model.n_iter_[0]}, objective=[..., {told.objective[-1]:.6g}], "
        f"gradient_norm=[..., {told.gradient_norm[-1]:.6g}], converged=True, reason={told.reason!r}, "
        f"tol=0.0001)"
    )
