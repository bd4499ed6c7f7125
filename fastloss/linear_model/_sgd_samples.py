"""The samples of a fit by stochastic gradient descent: checked, encoded, set aside."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from fastloss.linear_model._base import check_weights
from fastloss.linear_model._sgd_batches import Blocks, Rows, Source, Stream, as_stream, is_large_map
from fastloss.linear_model._sgd_parameters import SGDParameters
from fastloss.linear_model._sgd_split import validation_rows

FLOATS = (np.float64, np.float32)
_FINGERPRINT_ROWS = 64


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

    def _encode(self, y: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        """Return targets as the kernels want them."""
        raise NotImplementedError

    def _labels(self, codes: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        """Return numbers of classes as the kernels want them."""
        raise NotImplementedError

    def _learn_labels(self, y: Any, stream: Stream | None, classes: Any) -> npt.NDArray[Any] | None:
        """Get to know the classes, before any target is encoded; return their numbers if known."""
        return None

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
        if stream is None and not is_large_map(X):
            samples = self._of_arrays(X, y, sample_weight, classes, random_state, apart)
        elif apart:
            raise ValueError("early_stopping = True with batches: expected validation_data=(X, y)")
        elif stream is None:
            samples = self._of_map(X, y, sample_weight, classes, random_state)
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
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=FLOATS, order="C", **self._y_options()
        )
        weights = self._check_weights(sample_weight, X, apart)
        codes = self._learn_labels(y, None, classes)
        encoded = self._encode(y, X.dtype) if codes is None else self._labels(codes, X.dtype)
        rows = validation = None
        if apart:
            rows, held = validation_rows(
                y, weights, self.validation_fraction, random_state, hasattr(self, "classes_")
            )
            validation = X[held], encoded[held], None if weights is None else weights[held]
        return Samples(
            Rows(X, encoded, weights, rows, bool(self.shuffle)),
            X.dtype,
            hasattr(X, "indptr"),
            self._seed(random_state),  # after the split, as scikit-learn draws it
            validation,
            (X, y, weights),
        )

    def _of_map(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, random_state: Any
    ) -> Samples:
        """Return the blocks of a memory map."""
        dtype = self._meet_features(X[:1])
        y = self._check_y(y)
        weights = None if sample_weight is None else check_weights(sample_weight, X)
        self._learn_labels(y, None, classes)
        seed = self._seed(random_state)
        check = partial(self._check_batch, dtype)
        source = Blocks(X, y, weights, check, self.batch_size, bool(self.shuffle), seed)
        return Samples(source, dtype, False, seed, None, (X, y, weights))

    def _of_stream(self, stream: Stream, classes: Any, random_state: Any) -> Samples:
        """Return the batches of a stream."""
        X, y, _ = stream.first()
        dtype = self._meet_features(X)
        stream.check = partial(self._check_batch, dtype)
        self._learn_labels(None, stream, classes)
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
        targets: npt.NDArray[Any] = np.asarray(y)
        if targets.ndim != 1:
            raise ValueError(f"y has shape {targets.shape}: expected (n_samples,)")
        return targets

    def _meet_features(self, X: Any) -> Any:
        """Learn the number and names of the features from the first batch, and return the dtype."""
        return validate_data(self, X, accept_sparse="csr", dtype=FLOATS).dtype

    def _check_batch(self, dtype: Any, X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        """Check and encode one batch of a stream."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=dtype,
            order="C",
            reset=False,
            **self._y_options(),
        )
        return X, self._encode(y, dtype), self._check_weights(weights, X, True)

    def _check_weights(
        self, sample_weight: Any, X: Any, zeros: bool
    ) -> npt.NDArray[np.float64] | None:
        """Return sample weights in float64; all of them may be zero if `zeros`."""
        if sample_weight is None:
            return None
        if zeros and np.shape(sample_weight) == (X.shape[0],) and not np.any(sample_weight):
            return np.zeros(X.shape[0])
        return check_weights(sample_weight, X)

    def _check_validation(self, data: Any, dtype: Any) -> tuple[Any, Any, Any]:
        try:
            X = validate_data(self, data[0], accept_sparse="csr", dtype=dtype, reset=False)
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

    def _fingerprint(self, X: Any, y: Any, weights: Any) -> dict[str, Any]:
        """Return what tells the data of a fit from other data: its first samples."""
        head = X[:_FINGERPRINT_ROWS]
        head = head.toarray() if hasattr(head, "toarray") else np.asarray(head)
        text = [str(v) for v in np.asarray(y[:_FINGERPRINT_ROWS]).tolist()]
        parts = [np.ascontiguousarray(head).tobytes(), repr(text).encode()]
        if weights is not None:
            parts.append(np.asarray(weights[:_FINGERPRINT_ROWS], np.float64).tobytes())
        check = 0
        for part in parts:
            check = zlib.crc32(part, check)
        return {"n_features": int(self.n_features_in_), "the first samples' checksum": check}


def _check_parts(data: Any) -> None:
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise TypeError(
            f"validation_data: expected (X, y) or (X, y, sample_weight), got {type(data).__name__}"
        )


def new_seed(random_state: Any) -> int:
    """Draw a seed."""
    return int(check_random_state(random_state).randint(2**31 - 1))
