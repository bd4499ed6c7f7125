"""The ways to train, by the name that ``--solver`` takes; each is imported when it is chosen."""

from __future__ import annotations

import importlib

from fastloss.train.problem import Trainer

# Each module has train(problem, options, on_step) -> Outcome.
TRAINERS = {
    "auto": "fastloss.train.batch",
    "interior-point": "fastloss.train.batch",
    "lbfgs": "fastloss.train.batch",
    "newton-cholesky": "fastloss.train.batch",
}


def load_trainer(solver: str) -> Trainer:
    """Return the trainer of a name."""
    trainer: Trainer = importlib.import_module(TRAINERS[solver]).train
    return trainer
