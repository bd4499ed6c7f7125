"""Losses of one raw prediction a class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal

import numpy as np
import numpy.typing as npt

from fastloss._bases.rows import RowLoss
from fastloss._core.arrays import array_of, refuse_masked
from fastloss.losses._constants import classes_up_to, log_or_least, number_of_classes
from fastloss.losses._parameters import between, integer, number_sequence, parameter, truth
from fastloss.losses._rows import ClassLoss


class CrossEntropy(RowLoss):
    """
    Softmax cross-entropy (multinomial log loss) on logits, exact in the tails.

    sum over k of q_k * -log(p_k), in nats, with p the softmax of raw_prediction along the class
    axis and q_k = class_weight_k * ((1 - label_smoothing) * t_k + label_smoothing / C), where t is 1
    at the label and 0 elsewhere, or a soft label. With Q the sum of q the gradient is Q * p - q, the
    diagonal of the Hessian Q * p * (1 - p). These are torch's ``cross_entropy``'s semantics. Nothing
    cancels: at logits (40, 0, 0) and label 0 the loss is 2 exp(-40), not 0. Error at most 5 ULP,
    of the Hessian at most 3; with `label_smoothing` or soft labels the gradient's is in ULP of its
    larger term, Q * p or q, as these may cancel, and with class weights, too, at most 6.5, the
    Hessian's 4; a weight that brings back what was below the smallest normal number, p or Q * p, finds
    fewer digits in the gradient; with `z_loss` up to 1 or `logit_adjustment` it is at most 5.5, of
    its largest term, and the Hessian's 6. `predict` gives the class probabilities.

    Link: symmetric multinomial logit. Labels: classes 0 to C - 1 (of raw_prediction's shape without
    the class axis), or soft labels, finite and not negative (of its shape).

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class: 0, or a number in [1e-30, 1e+30].
    label_smoothing : float
        In [0, 1]: the share of each label that is spread evenly over all classes.
    ignore_index : int, optional
        A label whose samples do not count: their loss, gradient and Hessian are 0, and the mean leaves
        them out. It may lie outside the classes. torch's default is -100, here it is none.
    z_loss : float
        At least 0: adds z_loss * log(sum of exp(f))**2, which keeps logits from drifting (PaLM's
        auxiliary loss); f includes `logit_adjustment`. Sample weights multiply it, class weights only
        with `weighted_smoothing` False.
    logit_adjustment : sequence of float, optional
        One number a class, added to the logits in the loss but not in `predict`: tau * log(frequency of
        the class) trains balanced predictions on imbalanced classes.
    weighted_mean : bool
        With class labels and class weights the mean divides by the sum of sample_weight *
        class_weight[y], as torch does; else by that of sample_weight, as scikit-learn does.
    weighted_smoothing : bool
        Whether the smoothed part of a class label has each class's own weight, as torch does; else the
        whole sample has the weight of its label: its loss, what is smoothed and what `z_loss` adds,
        with or without smoothing. Soft labels are as with True.
    all_ignored : {"nan", "zero"}
        The mean where there are samples and none counts: NaN with a RuntimeWarning as torch's NaN, or
        0. That of an empty batch is NaN with a RuntimeWarning either way.

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4; Szegedy et al., Rethinking
    the Inception Architecture, 2016 (label smoothing); Menon et al., Long-Tail Learning via Logit
    Adjustment, 2021; Chowdhery et al., PaLM, 2022 (z-loss).

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> float(f"{fl.CrossEntropy()([0], np.array([[40.0, 0.0, 0.0]])):.14g}")
    8.4967085105832e-18
    """

    __slots__ = ()
    name = "cross_entropy"
    class_weight = parameter("class_weight")
    label_smoothing = parameter("label_smoothing")
    ignore_index = parameter("ignore_index")
    z_loss = parameter("z_loss")
    logit_adjustment = parameter("logit_adjustment")
    weighted_mean = parameter("weighted_mean")
    weighted_smoothing = parameter("weighted_smoothing")
    all_ignored = parameter("all_ignored")

    def __init__(
        self,
        class_weight: Sequence[float] | npt.NDArray[np.floating] | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        z_loss: float = 0.0,
        logit_adjustment: Sequence[float] | npt.NDArray[np.floating] | None = None,
        weighted_mean: bool = True,
        weighted_smoothing: bool = True,
        all_ignored: str = "nan",
    ) -> None:
        weights = None if class_weight is None else _class_weights(class_weight)
        smoothing = between("label_smoothing", label_smoothing, 0.0, 1.0)
        ignore_index = _ignored(ignore_index)
        z_loss = between("z_loss", z_loss, 0.0, math.inf)
        adjustment = (
            None
            if logit_adjustment is None
            else number_sequence("logit_adjustment", logit_adjustment, -math.inf, math.inf)
        )
        params = {
            "class_weight": None if weights is None else tuple(weights.tolist()),
            "label_smoothing": smoothing,
            "ignore_index": ignore_index,
            "z_loss": z_loss,
            "logit_adjustment": adjustment,
            "weighted_mean": truth("weighted_mean", weighted_mean),
            "weighted_smoothing": truth("weighted_smoothing", weighted_smoothing),
            "all_ignored": _nan_or_zero(all_ignored),
        }
        adjusted = z_loss != 0 or adjustment is not None
        added = () if adjustment is None else _added(adjustment)
        top, least = (max(added[0]), min(added[0])) if added else (0.0, 0.0)
        super().__init__(
            params,
            (smoothing, z_loss, 2.0 * z_loss, top - least, top) if adjusted else (),
            kernel="adjusted_cross_entropy" if adjusted else None,
            soft_kernel="adjusted_soft_cross_entropy" if adjusted else "cross_entropy",
            link="softmax",
            class_weight=weights,
            per_output=("logit_adjustment", added) if added else None,
            label_smoothing=smoothing,
            ignore_index=ignore_index,
            weighted_mean=weighted_mean,
            weighted_smoothing=weighted_smoothing,
            zero_if_ignored=all_ignored == "zero",
        )

    def initial_prediction(
        self,
        y_true: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_classes: int | None = None,
    ) -> npt.NDArray[np.float64]:
        """
        Return the best constant logits: those that minimise the weighted mean loss.

        Parameters
        ----------
        y_true : array-like
            Class labels of shape (n,), or soft labels of shape (n, C).
        sample_weight : array-like of shape (n,), optional
            Finite weights of at least 0, not all 0.
        n_classes : int, optional
            For class labels: how many classes there are. The length of class_weight by default, or
            the largest label plus one.

        Returns
        -------
        ndarray of shape (C,)
            The logarithms of the classes' (weighted, smoothed) frequencies, shifted to mean 0. The
            frequency of a class that does not occur is one float64 epsilon, or the least of the others
            if that is less.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there is no sample, or no weight.
        """
        labels = array_of(y_true, "y_true")
        if sample_weight is not None:
            sample_weight = array_of(sample_weight, "sample_weight")
        if labels.ndim not in (1, 2):
            raise ValueError(f"y_true has shape {labels.shape}: expected (n,) or (n, C)")
        if n_classes is None:
            n_classes = _n_classes(labels, self.class_weight, self.ignore_index)
        else:
            n_classes = number_of_classes(n_classes)
        # a loss at equal logits checks labels and weights
        zeros = np.broadcast_to(np.zeros(n_classes), (len(labels), n_classes))
        self.loss(labels, zeros, sample_weight, reduction="sum")
        weights = np.ones(len(labels))
        if sample_weight is not None:
            weights = np.asarray(sample_weight, dtype=np.float64)
            if weights.size:  # by an exact factor to at most 1, so that no sum of them overflows
                weights = np.ldexp(weights, -np.frexp(weights.max())[1])
        if labels.ndim == 2:
            targets = weights @ labels.astype(np.float64)
        else:
            counted = slice(None) if self.ignore_index is None else labels != self.ignore_index
            weights = weights[counted]
            targets = np.bincount(
                labels[counted].astype(np.int64), weights=weights, minlength=n_classes
            ).astype(np.float64)
        total = weights.sum()
        of_classes = None if self.class_weight is None else np.asarray(self.class_weight)
        if of_classes is not None and labels.ndim == 1 and not self.weighted_smoothing:
            targets, of_classes = targets * of_classes, None
            total = targets.sum()
        targets = (1.0 - self.label_smoothing) * targets + self.label_smoothing / n_classes * total
        if of_classes is not None:
            targets = targets * of_classes
        if not targets.sum() > 0:
            raise ValueError("y_true or sample_weight leaves no sample of positive weight")
        logits = log_or_least(targets / targets.sum())
        if self.logit_adjustment is not None:
            logits = logits - np.asarray(self.logit_adjustment)
        if self.z_loss:
            return np.asarray(logits)  # where the sum of the adjusted exponentials is 1
        return np.asarray(logits - logits.mean())


class NLL(ClassLoss):
    """
    Negative log-likelihood of a class, given log-probabilities: -class_weight_y * f_y.

    f = raw_prediction stands for log-probabilities along the class axis (of a log-softmax, say) and
    is not normalised; torch's ``nll_loss``. In nats. Link: log. Labels: classes 0 to C - 1. The
    gradient is -class_weight_y at the label, else 0; the Hessian is 0. Error at most 0.5 ULP.
    `predict` gives exp(raw_prediction).

    Parameters
    ----------
    class_weight : sequence of float, optional
        One weight a class: 0, or a number in [1e-30, 1e+30].
    ignore_index : int, optional
        A label whose samples do not count, as in `CrossEntropy`.
    weighted_mean : bool
        With class weights the mean divides by the sum of sample_weight * class_weight[y], as torch
        does; else by that of sample_weight.
    all_ignored : {"nan", "zero"}
        The mean where there are samples and none counts: NaN with a RuntimeWarning as torch's NaN, or
        0. That of an empty batch is NaN with a RuntimeWarning either way.

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> round(fl.NLL()([1], np.log([[0.75, 0.25]])), 4)
    1.3863
    """

    __slots__ = ()
    name = "nll"
    class_weight = parameter("class_weight")
    ignore_index = parameter("ignore_index")
    weighted_mean = parameter("weighted_mean")
    all_ignored = parameter("all_ignored")

    def __init__(
        self,
        class_weight: Sequence[float] | npt.NDArray[np.floating] | None = None,
        ignore_index: int | None = None,
        weighted_mean: bool = True,
        all_ignored: str = "nan",
    ) -> None:
        weights = None if class_weight is None else _class_weights(class_weight)
        ignore_index = _ignored(ignore_index)
        params = {
            "class_weight": None if weights is None else tuple(weights.tolist()),
            "ignore_index": ignore_index,
            "weighted_mean": truth("weighted_mean", weighted_mean),
            "all_ignored": _nan_or_zero(all_ignored),
        }
        super().__init__(
            params,
            link="exp",
            class_weight=weights,
            ignore_index=ignore_index,
            weighted_mean=weighted_mean,
            zero_if_ignored=all_ignored == "zero",
        )

    def _per_class(self) -> int | None:
        return None if self.class_weight is None else len(self.class_weight)

    def _best_constants(self, frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Of all log-probabilities: those of the weighted frequencies."""
        if self.class_weight is not None:
            frequencies = frequencies * np.asarray(self.class_weight)
            if not frequencies.sum() > 0:
                raise ValueError("y_true or sample_weight leaves no sample of positive weight")
            frequencies = frequencies / frequencies.sum()
        return log_or_least(frequencies)


def _added(adjustment: Sequence[float]) -> tuple[Sequence[float], ...]:
    """Return what is added to logits, that less the largest one, and the exponential of the latter."""
    exact = Context(prec=40)
    top = Decimal(max(adjustment))
    below = [exact.subtract(Decimal(a), top) for a in adjustment]
    # beyond float64's range they are not used
    gains = [float(exact.exp(max(b, Decimal(-700)))) for b in below]
    return tuple(adjustment), [float(b) for b in below], gains


def _nan_or_zero(all_ignored: str) -> str:
    if all_ignored not in ("nan", "zero"):
        raise ValueError(f"all_ignored = {all_ignored!r}: expected 'nan' or 'zero'")
    return all_ignored


def _ignored(ignore_index: object) -> int | None:
    if ignore_index is None:
        return None
    index = integer("ignore_index", ignore_index, "an integer or None")
    if not -(2**63) < index < 2**63:
        raise ValueError(f"ignore_index = {index}: expected an integer of 64 bits")
    return index


def _class_weights(class_weight: object) -> npt.NDArray[np.float64]:
    if isinstance(class_weight, str):
        raise TypeError(
            f"class_weight = {class_weight!r}: a loss does not know the labels; expected one number a "
            "class, as sklearn.utils.class_weight.compute_class_weight gives them, or None"
        )
    if isinstance(class_weight, Mapping):
        raise TypeError(
            f"class_weight = {class_weight!r}: expected an array of one number a class, in the order "
            "of the classes, or None; dictionaries are for estimators"
        )
    refuse_masked(class_weight, "class_weight")
    try:
        weights = np.array(class_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"class_weight = {class_weight!r}: expected one number a class, or None"
        ) from None
    if weights.ndim != 1 or weights.size == 0:
        raise ValueError(f"class_weight has shape {weights.shape}: expected (n_classes,)")
    for k, value in enumerate(weights.tolist()):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"class_weight[{k}] = {value}: expected a finite number of at least 0")
        # so that products with sample weights, their sums and the inverses of these exist in float32
        if value and not 1e-30 <= value <= 1e30:
            raise ValueError(
                f"class_weight[{k}] = {value}: expected 0 or a number in [1e-30, 1e+30]"
            )
    weights.setflags(write=False)
    return weights


def _n_classes(
    labels: npt.NDArray[np.generic], class_weight: object, ignore_index: int | None
) -> int:
    if labels.ndim == 2:
        return int(labels.shape[1])
    if isinstance(class_weight, tuple):
        return len(class_weight)
    counted = labels if ignore_index is None else labels[labels != ignore_index]
    if counted.size == 0:
        raise ValueError("y_true has no label that counts: expected at least one")
    return classes_up_to(counted.max())
