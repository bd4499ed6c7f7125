"""What each library makes of samples far in the tails, beside the exact value."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
from mpmath import mp

import fastloss as fl
from benchmarks.markdown import table

# Logits, and the label is class 0.
ROWS = ((2.0, 0.0, 0.0), (20.0, 0.0, 0.0), (40.0, 0.0, 0.0), (-800.0, 0.0, 0.0))


def exact(logits: tuple[float, ...]) -> float:
    with mp.workprec(2000):
        return float(mp.log1p(sum(mp.exp(mp.mpf(f) - mp.mpf(logits[0])) for f in logits[1:])))


def by_fastloss(logits: tuple[float, ...]) -> float:
    return float(fl.CrossEntropy()([0], np.array([logits])))


def by_torch(logits: tuple[float, ...]) -> float:
    import torch

    return float(
        torch.nn.functional.cross_entropy(
            torch.tensor([logits], dtype=torch.float64), torch.tensor([0])
        )
    )


def by_sklearn(logits: tuple[float, ...]) -> float:
    from sklearn._loss.loss import HalfMultinomialLoss

    loss = HalfMultinomialLoss(n_classes=len(logits))
    return float(loss.loss(np.zeros(1), np.array([logits]))[0])


LIBRARIES: dict[str, tuple[str, Callable[[tuple[float, ...]], float]]] = {
    "fastloss": ("fastloss", by_fastloss),
    "torch": ("torch", by_torch),
    "scikit-learn": ("sklearn", by_sklearn),
}


def main() -> None:
    installed = {
        name: function
        for name, (module, function) in LIBRARIES.items()
        if importlib.util.find_spec(module)
    }
    rows = [
        (str(logits), f"{exact(logits):.17g}", *(f"{f(logits):.17g}" for f in installed.values()))
        for logits in ROWS
    ]
    print("Softmax cross-entropy of class 0, float64:\n")
    print(table(("logits", "exact", *installed), rows))


if __name__ == "__main__":
    main()
