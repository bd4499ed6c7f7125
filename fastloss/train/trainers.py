"""The ways to train, by the name that ``--solver`` takes."""

from __future__ import annotations

from fastloss.train.problem import Trainer

STOCHASTIC = "sgd"
#: what makes the steps of STOCHASTIC; the others' penalties are not those of the objective
OPTIMIZERS = ("sgd", "adam", "adagrad", "rmsprop")
SOLVERS = ("auto", "interior-point", "lbfgs", "newton-cholesky", STOCHASTIC)


def load_trainer(solver: str) -> Trainer:
    """Return the trainer of a name; its packages are imported only now."""
    if solver == STOCHASTIC:
        from fastloss.train import stochastic

        return stochastic.train
    from fastloss.train import batch

    return batch.train
