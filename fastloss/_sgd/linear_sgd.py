"""Stochastic gradient descent on a linear model, an epoch or a part of a stream at a time."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastloss._bases.pointwise import PointwiseLoss
from fastloss._bases.rows import RowLoss
from fastloss._core.arrays import array_of, own_rows
from fastloss._linear.arrays import renamed, whole_classes, without_repeats
from fastloss._sgd.checks import (
    checked_dtype,
    checked_random,
    refuse_nonfinite,
    refuse_shared,
    whole,
)
from fastloss._sgd.linear_sgd_state import LinearSGDState
from fastloss._sgd.linear_sgd_state import _remade as _remade  # where older pickles look for it
from fastloss._sgd.under_way import EPOCH, alone
from fastloss.losses._parameters import between, nonnegative, one_of, positive, real, truth
from fastloss.losses.registry import get_loss, not_a_loss

if TYPE_CHECKING:
    from fastloss._sgd.linear_sgd_optimizer import LinearOptimizer
    from fastloss.optim import Optimizer

_Array = npt.NDArray[Any]
_PENALTIES = ("l2", "l1", "elasticnet")
_RATES = ("optimal", "constant", "invscaling", "adaptive", "pa1", "pa2")


class LinearSGD(LinearSGDState):
    """
    Stochastic gradient descent on a linear model, compiled from the shuffle to the update.

    Each call of `epoch` goes through the rows of X once. With a batch size of 1, it takes a step for
    each: with the rate ``eta``, the prediction f = x . coef + intercept and its loss's derivative
    g = dloss/df,

    - coef shrinks by 1 - eta * (L2's part of alpha), but not below 0;
    - coef -= eta * weight * g * x and intercept -= eta * weight * g;
    - L1's part of alpha is taken from the coefficients of x by cumulative penalty, so that they
      become 0.

    The steps, their order and the learning rates are those of scikit-learn's SGDClassifier and
    SGDRegressor. A larger batch's step takes the mean of weight * g * x over its rows; L1 is then
    taken from all coefficients. Calls continue each other: parts of a stream, unshuffled, one after
    another give the same bits as one call for all of it, if they are whole batches. So does any
    number of threads, unless ``lock_free`` is asked for.

    Parameters
    ----------
    loss : loss or str
        A loss of one output a sample, or of several and class labels or numbers, such as
        `CrossEntropy`; or its name.
    n_features : int
        Columns of X.
    n_outputs : int, optional
        Needed for a loss of several outputs that takes any number of them, and under ``one_vs_rest``:
        the number of classes (of `Coral` less one).
    one_vs_rest : bool
        Whether labels are classes 0 to n_outputs - 1, and each output learns to tell its class from
        the rest, with a loss of labels 0 and 1. All outputs see the rows in the same order.
    dtype : float32 or float64
        What is computed in. Intercepts, rates, averages and sums are float64 in any case.
    penalty : {"l2", "l1", "elasticnet"} or None
        L2 is 1/2 * alpha * ||coef||^2, L1 alpha * ||coef||_1. Intercepts are not penalised.
    alpha : float
        The penalty's factor, at least 0; greater than 0 for the learning rate "optimal".
    l1_ratio : float
        L1's part of alpha under "elasticnet", in [0, 1].
    fit_intercept : bool
        Whether there are intercepts.
    learning_rate : {"optimal", "constant", "invscaling", "adaptive", "pa1", "pa2"}
        "optimal" is 1 / (alpha * (t0 + t)) with Bottou's t0; "invscaling" eta0 / t**power_t;
        "constant" and "adaptive" are `eta`, at first eta0: when to lower it, whoever calls `epoch`
        decides. "pa1" and "pa2" are the passive-aggressive algorithms of Crammer and others, for
        `Hinge` and `EpsilonInsensitive`, with eta0 as their C: steps so long that the sample's loss
        becomes 0, of at most C, or damped by 1 / (2 C).
    eta0 : float
        Greater than 0.
    power_t : float
        The exponent of "invscaling".
    momentum : float
        In [0, 1). As in `fastloss.optim.SGD`, for coefficients and intercepts, where L2 joins the
        gradient. Each step then moves all coefficients.
    nesterov : bool
        Whether momentum is Nesterov's.
    optimizer : Optimizer, optional
        Of `fastloss.optim`: makes each step from the mean gradient of its rows, at its own `lr`, in
        place of `learning_rate`, `eta0` and `power_t`. L2's part of alpha joins its weight decay, and
        both parts the penalties of `FTRL`, which alone takes L1; for intercepts these are 0. Only its
        settings are read: it is not changed.
    batch_size : int
        Rows a step; the last step of an epoch may have fewer.
    average : bool or int
        Whether `average_coef` averages the coefficients over steps: from the first, or from step
        number ``average``, on.
    clip_gradient : float, optional
        Largest size of the loss's derivative at a sample, for each output; under "pa1" and "pa2" of
        the step's factor of x. scikit-learn's estimators clip derivatives at 1e12.
    class_weight : array-like, optional
        Factors of the samples' weights: for labels 0 and 1, or for each class (also where there is
        an output less, as of `Coral`); under ``one_vs_rest`` where the output learns that class.
    intercept_decay : float
        A factor of the intercepts' rates. scikit-learn's estimators take 0.01 for sparse X.
    seed : int
        Of the shuffles, in [0, 2**64).
    n_threads : int, optional
        For the outputs of ``one_vs_rest`` and within large dense batches; see
        `fastloss.set_num_threads`.
    lock_free : bool
        Whether two threads or more for each output take the rows of CSR at the same time, each on
        coefficients of its own that meet from time to time. **What is learnt then depends on the number
        of threads**: see the notes.

    Notes
    -----
    A weight multiplies what the sample adds to its step: 0 adds nothing, but the row counts in
    ``t`` and in its batch, and the coefficients shrink. A large weight is one long step, not many
    short ones: for a sample that stands for k alike, give its row k times in ``order``.

    A sparse row's step touches the coefficients that it meets; with batches, momentum or several
    outputs, every step goes through all of them.

    With L1 and an average, the average is that of the coefficients of each step; scikit-learn's
    leaves the part that L1 took out of account. On sparse rows, L1 is taken from a coefficient
    when a row meets it; `coef` is what remains when all of it is taken.

    Under ``lock_free``, each of up to four threads for each output takes its share of a stretch of
    the order, of some steps for each column, and does not see what the others do meanwhile; then
    all take up the moves of all. Moves of a coefficient are added where they are small, and as far
    as its threads had gone all the way to where the loss no longer falls, their mean is taken: the
    rates, the curvature of the loss and the squares of the column tell (the diagonal of what Maleki
    and others 2018 do), and the losses of some rows how far to trust that, for columns may go
    together. It learns about what ordered steps do, on columns that are in every row as on rare
    ones; less where few epochs of many threads learn from columns that go together, for then the
    mean is taken. Rates and scales are those of each row's place in the order. The same number of
    threads gives the same bits. It takes losses of one output, any learning rate, no L1, no
    momentum and no average, a batch size of 1 and X in CSR, and memory for the coefficients of each
    thread. Threads take 256 rows and two entries for each column at least: with fewer, and where L2
    shrinks the coefficients so quickly that they take it up every few hundred rows, there are fewer
    threads, and with one the steps are ordered and have the bits of ``lock_free=False``.

    References
    ----------
    Bottou, Stochastic Gradient Descent Tricks, 2012.
    Crammer, Dekel, Keshet, Shalev-Shwartz, Singer, Online Passive-Aggressive Algorithms, 2006.
    Maleki, Musuvathi, Mytkowicz, Semantics-Preserving Parallelization of Stochastic Gradient Descent,
    2018.
    Tsuruoka, Tsujii, Ananiadou, Stochastic Gradient Descent Training for L1-regularized Log-linear
    Models with Cumulative Penalty, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> X = np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 1.0], [4.0, 4.0]])
    >>> sgd = fl.LinearSGD("log_loss", 2, learning_rate="constant", eta0=0.5)
    >>> losses = [sgd.epoch(X, [0, 0, 1, 1]) for _ in range(100)]
    >>> (X @ sgd.coef + sgd.intercept > 0).tolist()
    [False, False, True, True]
    """

    # of the last epoch: weighted losses and weights, summed for each output
    _sums: tuple[_Array, _Array]

    def __init__(
        self,
        loss: Any,
        n_features: int,
        *,
        n_outputs: int | None = None,
        one_vs_rest: bool = False,
        dtype: npt.DTypeLike = np.float64,
        penalty: str | None = "l2",
        alpha: float = 1e-4,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.25,
        momentum: float = 0.0,
        nesterov: bool = False,
        optimizer: Optimizer | None = None,
        batch_size: int = 1,
        average: bool | int = False,
        clip_gradient: float | None = None,
        class_weight: npt.ArrayLike | None = None,
        intercept_decay: float = 1.0,
        seed: int = 0,
        n_threads: int | None = None,
        lock_free: bool = False,
    ) -> None:
        self._parameters = {
            name: value
            for name, value in locals().items()
            if name not in ("self", "loss", "n_features", "__class__")
        }
        if isinstance(loss, str):
            loss = get_loss(loss)
        if not isinstance(loss, (PointwiseLoss, RowLoss)):
            raise not_a_loss(loss)
        n_features = whole("n_features", n_features, 1, "an integer from 1 to 2**48", 2**48)
        self._of_rows = isinstance(loss, RowLoss)
        if truth("one_vs_rest", one_vs_rest) and self._of_rows:
            raise ValueError(f"one_vs_rest = True: {loss!r} tells all classes apart by itself")
        n_outputs = self._count_outputs(loss, n_outputs, one_vs_rest)
        kind = checked_dtype(dtype)
        self.one_vs_rest = one_vs_rest
        if penalty is not None:
            one_of("penalty", penalty, _PENALTIES)
        alpha = nonnegative("alpha", alpha)
        l1_ratio = between("l1_ratio", l1_ratio, 0.0, 1.0)
        l1 = {"l1": alpha, "elasticnet": l1_ratio * alpha}.get(penalty or "", 0.0)
        l2 = {"l2": alpha, "elasticnet": (1.0 - l1_ratio) * alpha}.get(penalty or "", 0.0)
        one_of("learning_rate", learning_rate, _RATES)
        momentum = between("momentum", momentum, 0.0, 1.0, closed="left")
        if truth("nesterov", nesterov) and not momentum:
            raise ValueError("nesterov = True: expected momentum greater than 0")
        rule: LinearOptimizer | None = None
        if optimizer is not None:  # the rates are its own, and so are the penalties
            from fastloss._sgd.linear_sgd_optimizer import LinearOptimizer

            rule = LinearOptimizer(optimizer, l1, l2)
            if momentum:
                raise ValueError(f"momentum = {momentum!r}: expected 0 with an optimizer")
            if intercept_decay != 1:
                raise ValueError(
                    f"intercept_decay = {intercept_decay!r}: expected 1 with an optimizer"
                )
            if learning_rate not in ("pa1", "pa2"):
                learning_rate = "constant"
            l1 = l2 = 0.0
        self._optimizer = rule
        if learning_rate == "optimal" and not alpha > 0:
            raise ValueError(
                f"alpha = {alpha!r}: expected a number greater than 0 for learning_rate='optimal'"
            )
        if not isinstance(average, bool):
            average = whole("average", average, 0, "True, False or an integer of at least 0")
        clip = math.inf
        if clip_gradient is not None:
            clip = positive("clip_gradient", clip_gradient)
        batch_size = whole("batch_size", batch_size, 1, "a positive integer")
        one_by_one = batch_size == 1 and not momentum and rule is None
        self._by_sample = one_by_one and not self._of_rows
        passive = loss.name in ("hinge", "epsilon_insensitive") and self._by_sample
        if learning_rate in ("pa1", "pa2") and not passive:
            raise ValueError(
                f"learning_rate = {learning_rate!r}: expected Hinge or EpsilonInsensitive, "
                "batch_size 1, no momentum and no optimizer"
            )
        self._lock_free = truth("lock_free", lock_free)
        self._overflowed = False
        if self._lock_free:
            refuse_shared(
                loss, self._of_rows, batch_size, momentum, average, penalty, l1, optimizer
            )
        seed = checked_random("seed", seed)
        self._class_weight = self._checked_class_weight(class_weight, loss, n_outputs)
        self._parameters["class_weight"] = self._class_weight
        self._n_threads = n_threads
        self._threads(n_threads, 0)
        intercept_decay = real("intercept_decay", intercept_decay)
        if not 0.0 <= intercept_decay < np.inf:
            raise ValueError(
                f"intercept_decay = {intercept_decay}: expected a finite number of at least 0"
            )
        self._begin(
            loss,
            n_features,
            n_outputs,
            kind.newbyteorder("="),
            {
                "learning_rate": learning_rate,
                "eta0": positive("eta0", eta0),
                "power_t": real("power_t", power_t),
                "alpha": alpha,
                "optimal_init": _optimal_init(loss, alpha) if learning_rate == "optimal" else 0.0,
                "l1": l1,
                "l2": l2,
                "average": int(average),
                "clip": clip,
                "momentum": momentum,
                "nesterov": nesterov,
                "batch_size": batch_size,
                "intercept_rate": intercept_decay if truth("fit_intercept", fit_intercept) else 0.0,
                "seed": seed,
            },
        )
        if rule is not None:
            rule.begin(self._state)

    def __repr__(self) -> str:
        """Return loss, width and the parameters that are not their defaults."""
        if self.loss_function is None:  # half made
            return object.__repr__(self)
        defaults: dict[str, Any] = {**(LinearSGD.__init__.__kwdefaults__ or {}), "dtype": "float64"}
        values = {**self._parameters, "dtype": self.dtype.name}
        if self._class_weight is not None:
            values["class_weight"] = self._class_weight.tolist()
        values = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in values.items()
        }
        parts = [repr(self.loss_function), str(self.n_features)]
        parts += [f"{name}={value!r}" for name, value in values.items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _count_outputs(self, loss: Any, given: int | None, one_vs_rest: bool) -> int:
        """Return how many outputs there are, where they are known or given."""
        if given is not None:
            given = whole("n_outputs", given, 1, "an integer from 1 to 2**31 - 1", 2**31 - 1)
        known = None if one_vs_rest else 1
        if self._of_rows:
            known = self._own_outputs(loss)
        if given is None and known is None:
            who = "one_vs_rest = True" if one_vs_rest else type(loss).__name__
            raise TypeError(f"n_outputs: {who} needs it, expected the number of outputs, such as 3")
        if given is not None and known not in (None, given):
            if not self._of_rows:
                name = type(loss).__name__
                raise ValueError(f"n_outputs = {given}: {name} has one, unless one_vs_rest=True")
            raise ValueError(f"n_outputs = {given}: {loss!r} has {known}")
        return given or known or 1

    def _checked_class_weight(self, class_weight: Any, loss: Any, n_outputs: int) -> _Array | None:
        if class_weight is None:
            return None
        weight = array_of(class_weight, "class_weight").astype(np.float64, order="C")
        count = n_outputs if self.one_vs_rest else 2
        if self._of_rows:
            count = self._class_count(loss, n_outputs)
        if weight.shape != (count,):
            raise ValueError(f"class_weight has shape {weight.shape}: expected ({count},)")
        wrong = np.flatnonzero(~((weight >= 0) & (weight < np.inf)))
        if wrong.size:
            k = int(wrong[0])
            raise ValueError(
                f"class_weight[{k}] = {weight[k]}: expected a finite number of at least 0"
            )
        return weight

    # ------------------------------------------------------------ an epoch

    @alone(EPOCH)
    def epoch(
        self,
        X: Any,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        shuffle: bool = True,
        order: npt.ArrayLike | None = None,
    ) -> float:
        """
        Go through the rows of X once, with a step for each.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or CSR
            Floats, integers or bool of any layout; the fastest is a C-contiguous array of this
            object's dtype. Or anything with ``data``, ``indices``, ``indptr`` and ``shape``, such as
            SciPy's CSR arrays: int32 or int64 indices in any order, the same column several times.
        y : array-like of shape (n,)
            Labels as the loss takes them (no soft labels of several outputs); under ``one_vs_rest``
            classes 0 to n_outputs - 1.
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0.
        shuffle : bool
            Whether the rows are taken in a random order, which ``seed`` determines, else as they
            stand.
        order : array-like of int, optional
            The rows to take, in this order, whatever ``shuffle`` says: any of them, also several
            times.

        Returns
        -------
        float
            The weighted mean of the losses that the samples had just before their steps, without the
            penalty; under ``one_vs_rest`` summed over the outputs. NaN if there is no sample, with a
            RuntimeWarning, or none of a weight above 0.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong dtype or shape, a label lies outside the loss's domain, or a
            weight or an index is invalid: before the first step. Or if coefficients are no longer
            finite after the last.
        RuntimeError
            If an epoch of this object is under way, of another thread or of a caller of this one.
        """
        matrix, n = self._matrix(X)
        if self._overflowed and not self._is_finite():
            raise ValueError(
                "coefficients have not been finite since an epoch before this: expected a new object, "
                "load_state_dict of an earlier state, or finite coef and intercept"
            )
        self._overflowed = False
        if self._lock_free and not isinstance(matrix, tuple):
            raise ValueError("X is dense: lock_free=True expects CSR")
        if self._settings["learning_rate"] in ("pa1", "pa2") and isinstance(matrix, tuple):
            matrix = without_repeats(*matrix)  # the length of a row is not that of its entries
        labels, classes, plain = self._labels(y, n)
        weight = self._weights(sample_weight, labels, classes, n)
        truth("shuffle", shuffle)
        if order is not None:
            rows = own_rows(order, "order", n, "rows")
        else:
            rows = self._random_order(n) if shuffle else self._rows_in_order(n)
        class_weight = self._class_weight if self.one_vs_rest else None
        if self._by_sample:
            work = len(rows) * self._entries(matrix, n) * self.n_outputs
            threads = self._threads(self._n_threads, work)
            replicas = self._replicas(threads, len(rows), self._entries(matrix, n))
            losses = self._run_samples(
                matrix, labels, classes, weight, class_weight, rows, plain,
                min(threads, replicas * self.n_outputs), replicas,
            )  # fmt: skip
        else:
            batch = min(self._settings["batch_size"], len(rows))
            work = batch * self.n_features * self.n_outputs
            threads = self._threads(self._n_threads, work)
            losses = self._run_batches(matrix, labels, classes, weight, class_weight, rows, threads)
        if not self._is_finite():
            self._overflowed = True
            refuse_nonfinite(matrix)
            raise ValueError(
                "coefficients overflowed: scale the columns of X, or lower eta0 or set "
                "clip_gradient"
            )
        return self._mean(losses, weight, classes, class_weight, rows)

    def _entries(self, matrix: Any, n: int) -> int:
        """Return how many a row has, on average."""
        if isinstance(matrix, tuple):
            return max(1, int(matrix[2][n] - matrix[2][0]) // max(n, 1))
        return self.n_features

    def _replicas(self, threads: int, n: int, entries: int) -> int:
        """How many threads step on coefficients of their own, for each output."""
        if not self._lock_free:
            return 1
        # shares of fewer rows or entries cost more than they save; of more replicas, moves that are
        # added although each had gone all the way would grow too quickly
        most = min(threads // self.n_outputs, n // 256, n * entries // (2 * self.n_features), 4)
        return max(most, 1)

    def _labels(self, y: npt.ArrayLike, n: int) -> tuple[_Array | None, _Array | None, bool]:
        """Labels of the dtype, or classes; and whether the loss sees only labels 0 and 1."""
        array = self._values(y, "y", n)
        if self._of_rows:
            return *self._row_labels(array), False
        if not self.one_vs_rest:
            try:
                labels, plain = self._own_labels(array)
            except (TypeError, ValueError) as error:
                raise renamed(error) from None
            return labels, None, plain
        classes, is_class = whole_classes(array, self.n_outputs)
        wrong = np.flatnonzero(~is_class)
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(f"y[{i}] = {array[i]}: expected classes 0 to {self.n_outputs - 1}")
        try:
            self._check_labels(np.array([0, 1]))
        except ValueError:
            name = type(self.loss_function).__name__
            raise ValueError(
                f"one_vs_rest = True: expected a loss that takes labels 0 and 1, unlike {name}"
            ) from None
        return None, classes, True

    def _weights(
        self,
        sample_weight: npt.ArrayLike | None,
        labels: _Array | None,
        classes: _Array | None,
        n: int,
    ) -> _Array | None:
        """Weights of the rows as float64, times those of their classes."""
        weight = None
        if sample_weight is not None:
            given = self._values(sample_weight, "sample_weight", n)
            self._weight_sum(given, self._n_threads)
            weight = np.require(given, np.float64, ["C", "A"])
        if self._class_weight is not None and self._of_rows:
            if classes is None:
                raise ValueError("class_weight: the loss has no class labels")
            factor = np.where(classes < 0, 0.0, self._class_weight[classes])
            weight = factor if weight is None else weight * factor
        elif self._class_weight is not None and labels is not None:
            wrong = np.flatnonzero((labels != 0) & (labels != 1))
            if wrong.size:
                i = int(wrong[0])
                raise ValueError(f"y[{i}] = {labels[i]}: class_weight expects labels 0 and 1")
            factor = self._class_weight[labels.astype(np.intp)]
            weight = factor if weight is None else weight * factor
        return weight

    def _mean(
        self,
        losses: _Array,
        weight: _Array | None,
        classes: _Array | None,
        class_weight: _Array | None,
        rows: _Array,
    ) -> float:
        self._sums = losses[:1] if self._of_rows else losses, np.zeros(1)
        if len(rows) == 0:
            warnings.warn("mean of an empty array is NaN", RuntimeWarning, stacklevel=4)
            return math.nan
        if self._of_rows and classes is not None:  # what is ignored does not count
            own = self._mean_weight()
            counted = 1.0 if own is None else own[classes]
            weight = np.where(classes < 0, 0.0, counted if weight is None else weight * counted)
        given = np.ones(len(rows)) if weight is None and class_weight is not None else weight
        if given is None:
            self._sums = self._sums[0], np.full(len(self._sums[0]), float(len(rows)))
            return float(losses.sum() / len(rows))
        if weight is not None:
            given = weight[rows]
        if self._of_rows:
            self._sums = self._sums[0], np.array([given.sum()])
            with np.errstate(divide="ignore", invalid="ignore"):
                return float(np.divide(losses[0], given.sum()))
        total = np.full(self.n_outputs, given.sum())
        if class_weight is not None and classes is not None:
            own = np.bincount(classes[rows], given, self.n_outputs)
            total += (class_weight - 1) * own
        self._sums = losses, total
        with np.errstate(divide="ignore", invalid="ignore"):
            return float((losses / total).sum())


def _optimal_init(loss: Any, alpha: float) -> float:
    """Bottou's t0: the first rate is about what moves typical coefficients by their size."""
    typical = math.sqrt(1.0 / math.sqrt(alpha))
    try:
        slope = 0.0
        if isinstance(loss, PointwiseLoss):
            at = np.array([-typical])
            slope = float(loss.gradient(np.array([1.0]), at, reduction="sum")[0])
    except ValueError:  # 1 is no label of this loss
        slope = 0.0
    return 1.0 / (typical / max(1.0, slope) * alpha)
