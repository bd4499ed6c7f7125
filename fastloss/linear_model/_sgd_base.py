"""What SGDClassifier and SGDRegressor share: fit, partial_fit, the state between calls."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.utils.extmath import safe_sparse_dot

from fastloss._core.arrays import refuse_masked
from fastloss._sgd.under_way import FIT, alone
from fastloss.linear_model import _sgd_checkpoint
from fastloss.linear_model._fitting import closing
from fastloss.linear_model._parameters import integer, nonnegative, verbosity
from fastloss.linear_model._progress import Callback
from fastloss.linear_model._sgd_batches import Batch, as_stream, present
from fastloss.linear_model._sgd_history import History, Recorder
from fastloss.linear_model._sgd_parameters import RATE
from fastloss.linear_model._sgd_samples import FLOATS, Samples, SGDSamples, dense, new_seed
from fastloss.linear_model._sgd_training import (
    MAX_ITER,
    STATE,
    Plan,
    Trained,
    Training,
    Validation,
    effective,
    mean_loss,
    train_batch,
)
from fastloss.linear_model._solvers.solution import INTERRUPTED

PARTIAL = "partial_fit was called last, and goes on when it is called again"
_SEED = "a seed of random_state"  # as messages about a checkpoint call it
# they belong to one call of fit, and are not routed
ONE_CALL = ("callback", "checkpoint", "checkpoint_every", "validation_data")


class SGDBase(SGDSamples):
    """Base of the estimators: how they learn."""

    n_iter_: int
    t_: float
    _record: Recorder
    _sgd: Any
    _published: Any

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are coefficients: classes and loss are known before."""
        return getattr(self, "coef_", None) is not None

    @property
    def history_(self) -> History:
        """How the fit went, and the calls of `partial_fit`."""
        record = vars(self).get("_record")
        if record is None:
            raise AttributeError(f"{type(self).__name__} has no history_ before it has learnt")
        history: History = record.history()
        return history

    @abstractmethod
    def _choose_loss(self) -> Any:
        """Return the loss."""

    def _outputs(self) -> int:
        """Return how many problems the machine's loss is the sum of."""
        return 1

    @abstractmethod
    def _publish(self, coef: Any, intercept: Any) -> None:
        """Set coef_ and intercept_."""

    @abstractmethod
    def _start(self, coef: Any, intercept: Any, dtype: Any) -> tuple[Any, Any]:
        """Return initial coefficients in the machine's shapes, None for those not given."""

    @abstractmethod
    def _loss_of(self, y: Any, raw: Any, weights: npt.NDArray[np.float64] | None) -> float:
        """Return the mean loss of encoded targets."""

    def _decode(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return targets as the user gave them."""
        return y

    @alone(FIT)
    def _fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any,
        intercept_init: Any,
        sample_weight: Any,
        classes: Any,
        validation_data: Any,
        callback: Callback | None,
        checkpoint: Any,
        checkpoint_every: float,
    ) -> None:
        with closing(callback):
            self._check_parameters()
            refuse_masked(coef_init, "coef_init")
            refuse_masked(intercept_init, "intercept_init")
            path = _sgd_checkpoint.check_path(checkpoint)
            every = nonnegative("checkpoint_every", checkpoint_every)
            saved = None if path is None else _sgd_checkpoint.load(path, *STATE)
            warm = self.warm_start and getattr(self, "coef_", None) is not None
            given = coef_init, intercept_init
            if warm:
                coef_init = self.coef_ if coef_init is None else coef_init
                intercept_init = self.intercept_ if intercept_init is None else intercept_init
            for name in ("classes_", "_sgd", "_record", *(() if warm else ("coef_", "intercept_"))):
                if hasattr(self, name):
                    delattr(self, name)
            random_state = self.random_state
            if random_state is None:  # a checkpoint knows the seed of the fit that it goes on with
                known = {} if saved is None else saved["fit"]
                random_state = int(known[_SEED]) if _SEED in known else new_seed(None)
            self.loss_ = self._choose_loss()
            samples = self._samples(X, y, sample_weight, classes, validation_data, random_state)
            fingerprint: dict[str, Any] = {}
            if path is not None:
                seen = self._fingerprint(samples, *given)
                fingerprint = {**self._fit_settings(), **seen, _SEED: samples.seed}
            if samples.validation is None and (self.restore_best or self.scoring is not None):
                told = "restore_best = True" if self.restore_best else f"scoring = {self.scoring!r}"
                raise ValueError(
                    f"{told}: expected early_stopping=True or validation_data=(X, y), by which one "
                    f"epoch is better than another"
                )
            sgd = self._make(samples.dtype, samples.seed, samples.sparse)
            self._set(sgd, coef_init, intercept_init, ("coef_init", "intercept_init"))
            plan = self._plan(callback, path, every, fingerprint)
            training = Training(sgd, samples.source, plan, self._judge(samples))
            try:
                trained = training.run()
            except Exception as error:
                kept = training.best_so_far(error)
                if kept is not None:
                    self._finish(sgd, kept, samples.feature_names)
                    error.add_note(
                        f"{type(self).__name__}: the coefficients of epoch "
                        f"{self.history_.best_epoch}, the best so far, are kept"
                    )
                raise
            self._finish(sgd, trained, samples.feature_names)
        self._warn(self.history_, self.n_iter_)

    def _finish(self, sgd: Any, trained: Trained, feature_names: list[str] | None) -> None:
        """Set what is known after a fit."""
        if feature_names is not None:  # the batches are arrays, without names
            self.feature_names_in_ = np.asarray(feature_names, object)
        self._keep(sgd, trained.coef, trained.intercept)
        self.n_iter_ = len(trained.record.lines)
        self._record = trained.record

    def _plan(
        self, callback: Callback | None, path: Any, every: float, fingerprint: dict[str, Any]
    ) -> Plan:
        return Plan(
            max_iter=integer("max_iter", self.max_iter, 1),
            tol=None if self.tol is None else float(self.tol),
            patience=int(self.n_iter_no_change),
            shuffle=bool(self.shuffle),
            adaptive=self.learning_rate == "adaptive",
            restore_best=bool(self.restore_best),
            average=int(self.average),
            verbose=verbosity(self.verbose),
            callback=callback,
            title=type(self).__name__,
            penalty=self._penalty_term(),
            outputs=self._outputs(),
            checkpoint=path,
            checkpoint_every=every,
            fingerprint=fingerprint,
        )

    def _judge(self, samples: Samples) -> Validation | None:
        """Return what judges the epochs."""
        if samples.validation is None:
            return None
        X, y, weights = samples.validation

        def loss(coef: Any, intercept: Any) -> float:
            raw = safe_sparse_dot(X, coef.T, dense_output=True) + intercept
            return self._loss_of(y, raw, weights)

        stops = None
        if self.early_stopping:
            stops = "loss" if self.scoring == "loss" else "score"
        if self.scoring == "loss" or (self.scoring is None and not self.early_stopping):
            return Validation(loss, None, stops)
        labels = self._decode(y)
        scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) else self.scoring
        options = {}
        if weights is not None and (scorer is None or hasattr(scorer, "_score_func")):
            options["sample_weight"] = weights

        def score(coef: Any, intercept: Any) -> float:
            before = {name: vars(self).get(name) for name in ("coef_", "intercept_")}
            self._publish(coef, intercept)
            names = self.__dict__.pop("feature_names_in_", None)  # the samples are arrays
            try:
                if scorer is None:
                    return float(self.score(X, labels, **options))
                scored: float = scorer(self, X, labels, **options)
                if stops is not None and np.isnan(scored):
                    raise ValueError(
                        f"scoring = {self.scoring!r}: the score is nan; expected a number for early "
                        f"stopping to go by"
                    )
                return float(scored)
            finally:
                if names is not None:
                    self.feature_names_in_ = names
                for name, value in before.items():  # the epoch's are not the fit's
                    if value is None:
                        delattr(self, name)
                    else:
                        setattr(self, name, value)

        return Validation(loss, score, stops)

    def _warn(self, history: History, n_iter: int) -> None:
        if history.reason == INTERRUPTED:
            judged = not np.isnan(history.validation_loss).all()
            kept = "the best coefficients so far" if judged else "the coefficients of the moment"
            warnings.warn(
                f"{type(self).__name__}: interrupted after {n_iter} epochs; {kept} are kept",
                ConvergenceWarning,
                stacklevel=5,
            )
        elif history.reason == MAX_ITER and self.tol is not None:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing "
                "max_iter to improve the fit.",
                ConvergenceWarning,
                stacklevel=5,
            )
        if self.power_t < 0:
            warnings.warn(
                "Negative values for `power_t` are deprecated in version 1.8 and will raise an "
                "error in 1.10. Use values in the range [0.0, inf) instead.",
                FutureWarning,
                stacklevel=5,
            )

    @alone(FIT)
    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
        if not hasattr(self, "_sgd"):
            self._check_parameters(for_partial_fit=True)
        self.loss_ = self._choose_loss()
        stream = as_stream(X, y, sample_weight)
        if stream is None:
            batches, dtype, sparse = self._batch(X, y, classes, sample_weight)
            self._learn(batches, dtype, sparse)
            return
        with self._without_names(stream.feature_names):
            first, _, _ = stream.first()
            if hasattr(self, "_sgd"):
                dtype = self._sgd_key[-1]
            else:
                with stream.naming_first():
                    dtype = self._meet_features(first)
            stream.check = partial(self._check_batch, dtype)
            self._check_classes(classes)
            self._learn(stream.epoch(0, 0), dtype, hasattr(first, "indptr"))

    def _batch(
        self, X: Any, y: Any, classes: Any, sample_weight: Any
    ) -> tuple[Iterator[Batch], Any, bool]:
        """Return arrays as a batch, their dtype, and whether they are sparse."""
        first_call = not hasattr(self, "_sgd")
        known = FLOATS if first_call else self._sgd_key[-1]
        X, y, dtype = self._check_arrays(X, y, known, first_call)
        self._check_classes(classes)
        weights = self._check_weights(sample_weight, X, False)
        batch = present(X, self._encode(y, dtype), weights)
        return iter([batch]), dtype, hasattr(X, "indptr")

    def _learn(self, batches: Iterator[Batch], dtype: Any, sparse: bool) -> None:
        """Learn from batches; what has been learnt stays, also if one of them is refused."""
        sgd = self._continued(dtype, sparse)
        started = perf_counter()
        losses: Any = 0.0
        weights: Any = 0.0
        try:
            for batch in batches:
                if batch.X.shape[0]:
                    train_batch(sgd, batch, bool(self.shuffle), 1)
                    losses, weights = losses + sgd._sums[0], weights + sgd._sums[1]
        finally:
            self._keep(sgd, *effective(sgd, int(self.average)))
            self.n_iter_ = 1
            if np.any(weights > 0):
                loss = mean_loss(losses, weights, self._outputs())
                self._note(loss, sgd, perf_counter() - started)

    def _note(self, loss: float, sgd: Any, seconds: float) -> None:
        """Record a call of partial_fit that has learnt."""
        if not hasattr(self, "_record"):
            self._record = Recorder(type(self).__name__, 0, int(self.n_iter_no_change))
        record = self._record
        record.verbose = 0  # a call is no line of the fit before
        objective = loss + self._penalty_term()(sgd.coef) / self._outputs()
        before = record.lines[-1][-1] if record.lines else 0.0
        record.add(loss, objective, np.nan, np.nan, float(sgd.eta), before + seconds)
        record.forget_older()
        record.converged, record.reason = False, PARTIAL

    def _keep(self, sgd: Any, coef: Any, intercept: Any) -> None:
        """Set what a fit leaves: the machine, its coefficients, and what they are known again by."""
        self._sgd = sgd
        self._publish(coef, intercept)
        self._published = self.coef_.copy(), self.intercept_.copy()
        self.t_ = float(sgd.t)

    @contextmanager
    def _without_names(self, names: list[str] | None) -> Iterator[None]:
        """Forget the names of the features while batches are read, which are arrays without any."""
        known = getattr(self, "feature_names_in_", None)
        if names is None:
            yield
            return
        if known is not None:
            if known.tolist() != names:
                raise ValueError(f"X has the features {names}; expected {known.tolist()}")
            del self.feature_names_in_
        try:
            yield
        finally:
            self.feature_names_in_ = np.asarray(names, object)

    def _check_classes(self, classes: Any) -> None:
        """Take note of the classes that the first call of partial_fit is given."""

    def _continued(self, dtype: Any, sparse: bool) -> Any:
        """Return the machine of the last call, with the coefficients and parameters of today."""
        coef, intercept = getattr(self, "coef_", None), getattr(self, "intercept_", None)
        if not hasattr(self, "_sgd") or coef is None:
            sgd = self._make(dtype, new_seed(self.random_state), sparse)
            self._set(sgd, coef, intercept)
            return sgd
        sgd, key = self._sgd, self._sgd_key
        now = dense(coef), intercept
        # what the user has set since
        changed = [
            None if _same(new, old) else new for new, old in zip(now, self._published, strict=True)
        ]
        try:
            if key != self._key(dtype, sparse):
                sgd = self._remade(sgd, dtype, sparse, now, changed)
            self._set(sgd, changed[0], changed[1])
        except BaseException:
            self._sgd_key = key  # of the machine that stays
            raise
        return sgd

    def _remade(self, old: Any, dtype: Any, sparse: bool, now: Any, changed: Any) -> Any:
        """Return a machine of today's parameters that goes on where another one was."""
        rate = self._sgd_key[RATE]
        self._check_parameters(for_partial_fit=True)
        sgd = self._make(dtype, 0, sparse)
        eta = sgd.eta
        try:
            sgd.load_state_dict(old.state_dict())
        except (ValueError, KeyError):  # it has no averages, or another penalty
            if np.shape(old.coef) == np.shape(sgd.coef):
                if changed[0] is None:
                    sgd.coef = old.coef
                if changed[1] is None:
                    sgd.intercept = old.intercept
            else:  # two classes have other coefficients with a loss of several outputs
                self._set(sgd, *now)
            sgd.t = old.t
        optimizer = self._steps()
        scheduled = optimizer is not None and callable(optimizer.lr)
        if rate != self._sgd_key[RATE] and not scheduled:
            sgd.eta = eta
        return sgd

    def _set(
        self,
        sgd: Any,
        coef: Any,
        intercept: Any,
        names: tuple[str, str] = ("coef_", "intercept_"),
    ) -> None:
        """Give a machine coefficients in their published shapes, but for those that are None."""
        given = self._start(dense(coef), intercept, sgd.dtype)
        for name, values in zip(names, given, strict=True):  # all of it before any is set
            if values is not None and not np.isfinite(values).all():
                wrong = values[~np.isfinite(values)].ravel()[0]
                raise ValueError(f"{name} holds {wrong}: expected finite numbers")
        coef, intercept = given
        if coef is not None:
            sgd.coef = coef
        if intercept is not None and self.fit_intercept:
            sgd.intercept = intercept


def _same(new: Any, old: Any) -> bool:
    """Return whether coefficients are those that were published."""
    new = np.ravel(np.asarray(new))
    return np.array_equal(new.astype(old.dtype), np.ravel(old), equal_nan=True)
