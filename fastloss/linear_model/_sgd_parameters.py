"""The parameters of SGDClassifier and SGDRegressor: their checks, and what is made of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import get_scorer_names

import fastloss as fl
from fastloss.linear_model._base import LinearModel
from fastloss.linear_model._parameters import (
    between,
    integer,
    nonnegative,
    one_of,
    positive,
    real,
    switch,
    verbosity,
)
from fastloss.linear_model._sgd_optimizers import (
    PLAIN,
    check_optimizer,
    make_optimizer,
    penalises,
)
from fastloss.linear_model._sgd_signs import SignMachines

_PENALTIES = ("l2", "l1", "elasticnet")
_LEARNING_RATES = ("constant", "optimal", "invscaling", "adaptive", "pa1", "pa2")
# of a fit that resumes these may be others
_FREE = frozenset({"max_iter", "n_jobs", "verbose", "random_state", "warm_start", "restore_best"})
# what a machine depends on
_MACHINE = (
    "penalty",
    "alpha",
    "l1_ratio",
    "fit_intercept",
    "learning_rate",
    "eta0",
    "power_t",
    "optimizer",
    "momentum",
    "nesterov",
    "batch_size",
    "average",
    "clip_gradient",
    "n_jobs",
    "lock_free",
)
# of a key, which begins with the loss: from the learning rate to the optimizer
RATE = slice(1 + _MACHINE.index("learning_rate"), 1 + _MACHINE.index("momentum"))
_CLIP = 1e12  # of the loss's derivative, as in scikit-learn
_SPARSE_DECAY = 0.01  # the intercept's rate on sparse data, likewise


class SGDParameters(LinearModel, ABC):
    """Base of the estimators that learn by stochastic gradient descent."""

    loss: Any
    loss_: Any
    penalty: str | None
    alpha: float
    l1_ratio: float | None
    max_iter: int
    tol: float | None
    shuffle: bool
    verbose: int
    epsilon: float
    random_state: Any
    learning_rate: str
    eta0: float
    power_t: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    warm_start: bool
    average: bool | int
    batch_size: int
    lock_free: bool
    momentum: float
    nesterov: bool
    optimizer: Any
    clip_gradient: float | None
    scoring: Any
    restore_best: bool
    _sgd_key: Any

    @abstractmethod
    def _machine(self) -> dict[str, Any]:
        """Return what the machine is made of besides the parameters: outputs, class weights."""

    def _check_parameters(self, for_partial_fit: bool = False) -> None:
        if self.penalty is not None:
            one_of("penalty", self.penalty, (*_PENALTIES, None))
        nonnegative("alpha", self.alpha)
        if self.l1_ratio is not None:
            between("l1_ratio", self.l1_ratio, 0.0, 1.0)
        elif self.penalty == "elasticnet":
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")
        for name in ("fit_intercept", "shuffle", "warm_start", "nesterov", "restore_best"):
            switch(name, getattr(self, name))
        integer("max_iter", self.max_iter, 1)
        if self.tol is not None:
            nonnegative("tol", self.tol)
        verbosity(self.verbose)
        nonnegative("epsilon", self.epsilon)
        one_of("learning_rate", self.learning_rate, _LEARNING_RATES)
        positive("eta0", self.eta0)
        real("power_t", self.power_t)
        switch("early_stopping", self.early_stopping)
        fraction = real("validation_fraction", self.validation_fraction)
        if not 0 < fraction < 1:
            raise ValueError(
                f"validation_fraction = {self.validation_fraction!r}: expected a number between "
                f"0 and 1"
            )
        integer("n_iter_no_change", self.n_iter_no_change, 1)
        if not isinstance(self.average, bool | np.bool_):
            integer("average", self.average, 1)
        integer("batch_size", self.batch_size, 1)
        switch("lock_free", self.lock_free)
        plain = isinstance(self.optimizer, str) and self.optimizer == PLAIN
        if self.lock_free and not plain:
            raise ValueError(f"optimizer = {self.optimizer!r}: lock_free=True expects 'sgd'")
        between("momentum", self.momentum, 0.0, 1.0, closed="left")
        check_optimizer(
            self.optimizer,
            self.penalty,
            self.learning_rate,
            self.power_t,
            self.momentum,
            self.nesterov,
        )
        if self.nesterov and plain and not self.momentum:
            raise ValueError("nesterov = True: expected a momentum greater than 0")
        if self.clip_gradient is not None:
            positive("clip_gradient", self.clip_gradient)
        if not (self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring)):
            raise TypeError(
                f"scoring = {self.scoring!r}: expected 'loss', the name of a scorer, a callable or "
                f"None"
            )
        if isinstance(self.scoring, str) and self.scoring not in ("loss", *get_scorer_names()):
            raise ValueError(
                f"scoring = {self.scoring!r}: expected 'loss' or one of "
                f"sklearn.metrics.get_scorer_names()"
            )
        if for_partial_fit and self.early_stopping:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.learning_rate == "optimal" and self.alpha == 0 and plain:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used to compute the "
                "optimal learning rate."
            )

    def _fit_settings(self) -> dict[str, Any]:
        """Return the parameters that a resumed fit must share, as text."""
        params = self.get_params(False).items()
        told = {name: _told(value) for name, value in params if name not in _FREE}
        return {"estimator": type(self).__name__, **told}

    def _key(self, dtype: Any, sparse: bool) -> Any:
        """Return all that a machine depends on."""
        parts = [repr(self.loss_), *(getattr(self, name) for name in _MACHINE)]
        if not isinstance(self.optimizer, str):  # which the user may change in place
            parts[1 + _MACHINE.index("optimizer")] = repr(self.optimizer)
        for value in self._machine().values():
            parts.append(tuple(value) if isinstance(value, np.ndarray) else value)
        return (*parts, sparse, np.dtype(dtype))

    def _steps(self) -> Any:
        """Return the optimizer as an instance, None for plain steps."""
        return make_optimizer(self.optimizer, self.learning_rate, self.eta0, self.power_t)

    def _make(self, dtype: Any, seed: int, sparse: bool) -> Any:
        """Return the machine that runs the epochs."""
        self._sgd_key = self._key(dtype, sparse)
        options = self._machine()
        optimizer = self._steps()
        if optimizer is not None:
            options["optimizer"] = optimizer
        elif sparse:
            options["intercept_decay"] = _SPARSE_DECAY
        if self.learning_rate != "optimal":
            options["eta0"] = float(self.eta0)
        if self.momentum:
            options.update(momentum=float(self.momentum), nesterov=bool(self.nesterov))
        clip = _CLIP if self.clip_gradient is None else float(self.clip_gradient)
        machine: Any = SignMachines if "n_classes" in options else fl.LinearSGD
        return machine(
            self.loss_,
            self.n_features_in_,
            dtype=dtype,
            penalty=self.penalty,
            alpha=float(self.alpha),
            l1_ratio=0.0 if self.l1_ratio is None else float(self.l1_ratio),
            fit_intercept=bool(self.fit_intercept),
            learning_rate=self.learning_rate,
            power_t=float(self.power_t),
            average=int(self.average),
            batch_size=int(self.batch_size),
            clip_gradient=clip,
            seed=seed,
            n_threads=self._n_threads(),
            lock_free=bool(self.lock_free),
            **options,
        )

    def _penalty_term(self) -> Callable[[npt.NDArray[Any]], float]:
        """Return the penalty as a function of the coefficients."""
        alpha = 0.0 if self.penalty is None else float(self.alpha)
        if self.learning_rate in ("pa1", "pa2") or not penalises(self.optimizer):
            alpha = 0.0  # the objective is the loss alone, as in scikit-learn
        share = {"l1": 1.0, "l2": 0.0}.get(self.penalty or "", self.l1_ratio or 0.0)

        def penalty(coef: npt.NDArray[Any]) -> float:
            if alpha == 0:
                return 0.0
            with np.errstate(over="ignore"):
                squares = np.vdot(coef, coef) if share < 1 else 0.0
                return float(
                    alpha
                    * ((1 - share) / 2 * squares + share * (np.abs(coef).sum() if share else 0.0))
                )

        return penalty


def _told(value: Any) -> str:
    """Return a value as text, that is the same in another process."""
    if isinstance(value, partial):
        told = [_told(value.func), *map(_told, value.args)]
        told += [f"{name}={_told(part)}" for name, part in value.keywords.items()]
        return f"partial({', '.join(told)})"
    parts = None  # whose own texts may hold functions
    if isinstance(value, fl.optim.Optimizer):
        parts = value.settings
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    if parts is not None:
        told = [f"{name}={_told(part)}" for name, part in parts.items()]
        return f"{type(value).__name__}({', '.join(told)})"
    if not hasattr(value, "__qualname__"):
        plain: Any = object.__repr__  # which tells an address
        if type(value).__repr__ is not plain:
            return repr(value)
        value = type(value)
    return f"{value.__module__}.{value.__qualname__}"
