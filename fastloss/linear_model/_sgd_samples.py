"""The samples of a fit by stochastic gradient descent: checked, encoded, set aside."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from fastloss._core.arrays import refuse_masked
from fastloss.linear_model._base import check_weights, validated
from fastloss.linear_model._sgd_batches import Rows, Source, Stream, as_stream, is_read_in_place
from fastloss.linear_model._sgd_parameters import SGDParameters
from fastloss.linear_model._sgd_split import validation_rows

FLOATS = (np.float64, np.float32)
_FINGERPRINT_ROWS = 1024


@dataclass(frozen=True)
class Samples:
    """Where the samples of a fit come from, and those that judge it."""

    source: Source
    dtype: Any
    sparse: bool
    seed: int
    validation: tuple[Any, Any, npt.NDArray[np.float64] | None] | None  # X, y encoded, weights
    head: tuple[Any, Any, Any]  # X, y, weights of the first of them, or of more
    feature_names: list[str] | None = None


class SGDSamples(SGDParameters):
    """Base of the estimators: where their samples come from."""

    @abstractmethod
    def _encode(self, y: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        """Return targets as the kernels want them."""

    def _encode_first(self, y: npt.NDArray[Any], classes: Any, dtype: Any) -> npt.NDArray[Any]:
        """Return all targets of a fit as `_encode` does, and get to know their classes."""
        return self._encode(y, dtype)

    def _meet_classes(self, stream: Stream, classes: Any) -> None:
        """Get to know the classes of a stream, before any of its targets is encoded."""

    def _samples(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        classes: Any,
        validation_data: Any,
        random_state: Any,
    ) -> Samples:
        """Return the samples of a fit."""
        apart = bool(self.early_stopping) and validation_data is None
        stream = as_stream(X, y, sample_weight)
        if stream is None:
            samples = self._of_arrays(X, y, sample_weight, classes, random_state, apart)
        elif apart:
            raise ValueError("early_stopping = True with batches: expected validation_data=(X, y)")
        else:
            samples = self._of_stream(stream, classes, random_state)
        if validation_data is not None:
            _check_parts(validation_data)
            names = samples.feature_names if hasattr(validation_data[0], "columns") else None
            with self._named(names):
                validation = self._check_validation(validation_data, samples.dtype)
            samples = replace(samples, validation=validation)
        return samples

    def _of_arrays(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, random_state: Any, apart: bool
    ) -> Samples:
        """Return samples in memory, some of them set apart if asked to."""
        X, y, dtype = self._check_arrays(X, y, FLOATS, True)
        weights = self._check_weights(sample_weight, X, apart)
        encoded = self._encode_first(y, classes, dtype)
        rows = validation = None
        if apart:
            rows, held = validation_rows(
                y, weights, self.validation_fraction, random_state, hasattr(self, "classes_")
            )
            own = None if weights is None else weights[held]
            validation = X[held].astype(dtype, copy=False), encoded[held], own
        return Samples(
            Rows(X, encoded, weights, rows, bool(self.shuffle)),
            dtype,
            hasattr(X, "indptr"),
            self._seed(random_state),  # after the split, as scikit-learn draws it
            validation,
            (X, y, weights),
        )

    def _check_arrays(self, X: Any, y: Any, dtype: Any, reset: bool) -> tuple[Any, Any, Any]:
        """Return X, y and the dtype to learn in, one of those wanted; X may be of another one."""
        in_place = is_read_in_place(X)
        X, y = validated(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=None if in_place else dtype,
            order="C",
            reset=reset,
            **self._y_options(),
        )
        wanted = dtype if isinstance(dtype, tuple) else (dtype,)
        return X, y, X.dtype if X.dtype in wanted else np.dtype(wanted[0])

    def _of_stream(self, stream: Stream, classes: Any, random_state: Any) -> Samples:
        """Return the batches of a stream."""
        X, y, _ = stream.first()
        with stream.naming_first():
            dtype = self._meet_features(X)
        stream.check = partial(self._check_batch, dtype)
        self._meet_classes(stream, classes)
        return Samples(
            stream,
            dtype,
            hasattr(X, "indptr"),
            self._seed(random_state),
            None,
            (X, y, None),
            stream.feature_names,
        )

    def _seed(self, random_state: Any) -> int:
        """Return the seed of the orders; random_state is one already if the user gave none."""
        return random_state if self.random_state is None else new_seed(random_state)

    def _y_options(self) -> dict[str, Any]:
        return {}

    def _check_y(self, y: Any) -> npt.NDArray[Any]:
        if y is None:
            raise ValueError("y: expected the targets of the samples of X")
        refuse_masked(y, "y")
        targets: npt.NDArray[Any] = np.asarray(y)
        if targets.ndim != 1:
            raise ValueError(f"y has shape {targets.shape}: expected (n_samples,)")
        return targets

    def _meet_features(self, X: Any) -> Any:
        """Learn the number and names of the features from the first batch, and return the dtype."""
        return validated(self, X, accept_sparse="csr", dtype=FLOATS).dtype

    def _check_batch(self, dtype: Any, X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        """Check and encode one batch of a stream."""
        X, y, _ = self._check_arrays(X, y, dtype, False)
        return X, self._encode(y, dtype), self._check_weights(weights, X, True)

    def _check_weights(
        self, sample_weight: Any, X: Any, zeros: bool
    ) -> npt.NDArray[np.float64] | None:
        """Return sample weights in float64; all of them may be zero if `zeros`."""
        if sample_weight is None:
            return None
        refuse_masked(sample_weight, "sample_weight")
        if zeros and np.shape(sample_weight) == (X.shape[0],) and not np.any(sample_weight):
            return np.zeros(X.shape[0])
        return check_weights(sample_weight, X)

    def _check_validation(self, data: Any, dtype: Any) -> tuple[Any, Any, Any]:
        try:
            X = validated(self, data[0], accept_sparse="csr", dtype=dtype, reset=False)
            y = self._check_y(data[1])
            if len(y) != X.shape[0]:
                raise ValueError(f"y has {len(y)} samples, X has {X.shape[0]}")
            weights = self._check_weights(data[2] if len(data) == 3 else None, X, False)
            return X, self._encode(y, dtype), weights
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from None

    @contextmanager
    def _named(self, names: list[str] | None) -> Iterator[None]:
        """Know the names of a stream's features, whose batches are arrays without any."""
        if names is None:
            yield
            return
        self.feature_names_in_ = np.asarray(names, object)
        try:
            yield
        finally:
            del self.feature_names_in_

    def _fingerprint(self, samples: Samples, coef_init: Any, intercept_init: Any) -> dict[str, Any]:
        """Return what tells the data of a fit from other data, as far as some rows of it do."""
        whole = isinstance(samples.source, Rows)
        return {
            "n_features": int(self.n_features_in_),
            "n_samples" if whole else "n_samples of the first batch": len(samples.head[1]),
            "the samples' checksum": _checksum(*samples.head),
            "validation_data's checksum": _checksum(*(samples.validation or ())),
            "coef_init's checksum": _checksum(dense(coef_init)),
            "intercept_init's checksum": _checksum(intercept_init),
        }


def _checksum(X: Any = None, y: Any = None, weights: Any = None) -> int:
    """Return a checksum of some rows of X, and of all numbers in y and weights."""
    check = 0
    if X is not None and y is not None:
        X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
        n = X.shape[0]
        spread = np.linspace(0, n - 1, min(n, _FINGERPRINT_ROWS)).astype(np.intp)
        X = dense(X[spread])
    for part in (X, y, weights):
        if part is None:
            continue
        values = np.asarray(part)
        if values.dtype.kind in "biuf":
            check = zlib.crc32(np.ascontiguousarray(values).data.cast("B"), check)
        else:
            check = zlib.crc32(repr([str(value) for value in values.tolist()]).encode(), check)
        check = zlib.crc32(repr(values.shape).encode(), check)
    return check


def dense(X: Any) -> Any:
    """Return X, as an array if it is sparse."""
    return X.toarray() if hasattr(X, "toarray") else X


def _check_parts(data: Any) -> None:
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise TypeError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(data).__name__}"
        )


def new_seed(random_state: Any) -> int:
    """Draw a seed."""
    return int(check_random_state(random_state).randint(2**31 - 1))
