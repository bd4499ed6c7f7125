"""The classes that SGDClassifier learns, and their weights, from arrays and from streams."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.class_weight import compute_class_weight

from fastloss.linear_model._classes import encode
from fastloss.linear_model._sgd_base import SGDBase
from fastloss.linear_model._sgd_batches import Stream


class SGDClasses(SGDBase):
    """Base of the classifier: labels become numbers of classes."""

    classes_: npt.NDArray[Any]
    class_weight: Any
    _class_weight: npt.NDArray[np.float64] | None

    @abstractmethod
    def _labels(self, codes: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        """Return numbers of classes as the kernels want them."""

    def _encode(self, y: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        return self._labels(self._codes(y), dtype)

    def _encode_first(self, y: npt.NDArray[Any], classes: Any, dtype: Any) -> npt.NDArray[Any]:
        codes = self._learn_labels(y, None, classes)
        return self._encode(y, dtype) if codes is None else self._labels(codes, dtype)

    def _meet_classes(self, stream: Stream, classes: Any) -> None:
        self._learn_labels(None, stream, classes)

    def _learn_labels(self, y: Any, stream: Stream | None, classes: Any) -> npt.NDArray[Any] | None:
        """Get to know the classes; return their numbers if these are known."""
        codes = None
        if classes is not None:
            self.classes_ = _checked_classes(classes)
        elif stream is None:
            self.classes_, codes = encode(y)
        elif stream.one_pass:
            raise ValueError("classes: expected the classes, as X can be gone through once only")
        else:
            labels: Any = np.empty(0)
            for part in stream.labels():
                found = np.unique(np.asarray(part))
                labels = np.union1d(labels, found) if len(labels) else found
            self.classes_, _ = encode(labels)
        balanced = isinstance(self.class_weight, str) and self.class_weight == "balanced"
        if not balanced:
            self._class_weight = self._given_weights()
            return codes
        totals = np.zeros(len(self.classes_))
        if stream is None:
            codes = self._codes(y) if codes is None else codes
            totals += np.bincount(codes, minlength=len(totals))
        elif stream.one_pass:
            raise ValueError(
                "class_weight = 'balanced': expected a dictionary, as X can be gone through once only"
            )
        else:
            for part in stream.labels():
                totals += np.bincount(self._codes(np.asarray(part)), minlength=len(totals))
        used = totals > 0
        self._class_weight = np.ones(len(totals))
        self._class_weight[used] = totals.sum() / (len(totals) * totals[used])
        return codes

    def _check_classes(self, classes: Any) -> None:
        if classes is not None:
            found = _checked_classes(classes)
            if not hasattr(self, "classes_"):
                self.classes_ = found
            elif not np.array_equal(self.classes_, found):
                raise ValueError(
                    f"classes = {classes!r}: expected those of the calls before, {self.classes_!r}"
                )
        elif not hasattr(self, "classes_"):
            raise ValueError("classes: expected the classes at the first call of partial_fit")
        if not hasattr(self, "_sgd") or self.class_weight != "balanced":
            self._class_weight = self._given_weights()

    def _given_weights(self) -> npt.NDArray[np.float64] | None:
        """Return the weights of the classes that class_weight lists."""
        if self.class_weight is None:
            return None
        if isinstance(self.class_weight, str):
            if self.class_weight != "balanced":
                raise ValueError(
                    f"class_weight = {self.class_weight!r}: expected 'balanced', a dictionary or None"
                )
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use "
                "'balanced' weights, use compute_class_weight('balanced', classes=classes, y=y). In "
                "place of y you can use a large enough sample of the full training set target to "
                "properly estimate the class frequency distributions. Pass the resulting weights "
                "as the class_weight parameter."
            )
        if not isinstance(self.class_weight, dict):
            raise TypeError(
                f"class_weight = {self.class_weight!r}: expected 'balanced', a dictionary or None"
            )
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_)
        weights = np.asarray(weights, np.float64)
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(
                f"class_weight = {self.class_weight!r}: expected finite numbers of at least 0"
            )
        if not weights.any():
            raise ValueError(
                f"class_weight = {self.class_weight!r}: all classes have weight 0; expected at least "
                f"one above 0"
            )
        return weights

    def _codes(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the number of each label's class."""
        places: npt.NDArray[Any] = np.searchsorted(self.classes_, y)
        places[places == len(self.classes_)] = 0
        wrong = np.flatnonzero(self.classes_[places] != y)
        if len(wrong):
            i = int(wrong[0])
            label = y[i : i + 1].tolist()[0]
            raise ValueError(
                f"y[{i}] = {label!r}: expected one of the classes {self.classes_.tolist()}"
            )
        return places.astype(np.min_scalar_type(-len(self.classes_)), copy=False)

    def _decode(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        labels: npt.NDArray[Any] = self.classes_[y.astype(np.intp, copy=False)]
        return labels


def _checked_classes(classes: Any) -> npt.NDArray[Any]:
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise TypeError(f"classes = {classes!r}: expected an array of labels")
    found, _ = encode(np.asarray(classes))
    return found
