"""Where the samples of an epoch come from: arrays and iterators of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from fastloss.linear_model._sgd_arrow import ArrowBatches, is_arrow
from fastloss.linear_model._sgd_order import canonical_order

_KEPT_BYTES = 1 << 26  # a memory map of another dtype, up to this size, is converted as a whole


class Batch(NamedTuple):
    """Checked samples; `rows` are those to visit, if not all: any of them, also several times."""

    X: Any
    y: npt.NDArray[Any]
    weights: npt.NDArray[np.float64] | None
    rows: npt.NDArray[np.intp] | None = None
    place: str = ""  # begins the messages of errors


def present(
    X: Any, y: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None, place: str = ""
) -> Batch:
    """Return a batch without the samples of weight 0."""
    if weights is None or weights.all():
        return Batch(X, y, weights, None, place)
    used = np.flatnonzero(weights)
    place += "of the samples with a weight above 0, "
    return Batch(X[used], y[used], weights[used], None, place)


_NOTHING = Batch(np.empty((0, 0)), np.empty(0), None)


class Source(Protocol):
    """Epochs of batches."""

    one_pass: bool  # whether there is only one epoch

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        """Return the batches of an epoch, counted from 0, without the first `skip` of them."""


Check = Callable[[Any, Any, Any], tuple[Any, npt.NDArray[Any], npt.NDArray[np.float64] | None]]


@contextmanager
def _naming(place: str, X: Any, y: Any) -> Iterator[None]:
    """Let errors begin with the place of a batch, and end with that of what is not finite."""
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(place + str(error) + _first_nonfinite(X, y, str(error))) from None


def _first_nonfinite(X: Any, y: Any, message: str) -> str:
    """Return the place of what scikit-learn's message only says is there."""
    for name, part in (("X", X), ("y", y)):
        if not message.startswith(f"Input {name} contains"):
            continue
        csr = sparse.csr_matrix(part) if sparse.issparse(part) else None
        values = np.asarray(part if csr is None else csr.data)
        if values.dtype.kind != "f":  # text, say, that has become numbers since
            continue
        wrong = ~np.isfinite(values)
        if "float32" in message and not wrong.any():
            wrong = np.abs(values) > np.finfo(np.float32).max
        for place in np.argwhere(wrong)[:1].tolist():
            value = values[tuple(place)]
            if csr is not None:
                row = int(np.searchsorted(csr.indptr, place[0], side="right")) - 1
                place = [row, int(csr.indices[place[0]])]
            return f"\n{name}[{', '.join(map(str, place))}] = {value} is the first."
    return ""


def _checked(check: Check, X: Any, y: Any, weights: Any, place: str) -> Batch:
    with _naming(place, X, y):
        X, y, weights = check(X, y, weights)
    return present(X, y, weights, place)


class Rows:
    """
    Arrays, of which X may be a memory map: an epoch is one batch.

    Parameters
    ----------
    X, y, weights : array
        Checked samples.
    rows : ndarray of int or None
        The rows to learn from, sorted; None for all.
    shuffle : bool
        Whether the rows are going to be visited in a random order.
    """

    one_pass = False

    def __init__(
        self,
        X: Any,
        y: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        rows: npt.NDArray[np.intp] | None,
        shuffle: bool,
    ) -> None:
        self.X, self.y, self.weights, self.rows = X, y, weights, rows
        if shuffle and rows is None:
            canonical = canonical_order(X, y, weights)
            if canonical is not None:
                self.rows, self.weights = canonical
                return
        if weights is not None and not weights.all():  # a sample of weight 0 is absent
            used = np.flatnonzero(weights)
            self.rows = used if rows is None else rows[weights[rows] > 0]

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        """Return one batch of all rows."""
        if not skip:
            yield Batch(self.X, self.y, self.weights, self.rows)


class Stream:
    """
    Batches that the user makes.

    Parameters
    ----------
    batches : iterator, iterable or callable that returns an iterator
        Of (X, y) or (X, y, sample_weight).

    Attributes
    ----------
    check : callable
        Checks the arrays of a batch; to be set before an epoch.
    """

    check: Check
    naming_first: Callable[
        [], AbstractContextManager[None]
    ]  # for errors about what `first` returned

    def __init__(self, batches: Any) -> None:
        self.one_pass = isinstance(batches, Iterator) or getattr(batches, "one_pass", False)
        self._batches = iter(batches) if self.one_pass else batches
        self._looked_at: Iterator[Any] | None = None  # the pass that `first` began
        names = getattr(batches, "feature_names", None)
        self.feature_names: list[str] | None = None if names is None else list(map(str, names))

    def first(self) -> tuple[Any, Any, Any]:
        """Return the first batch with samples as the user gave it; it will come again."""
        iterator = self._iterate()
        seen = []
        for number, batch in enumerate(iterator):
            seen.append(batch)
            parts = _parts(batch, number)
            if _length(parts[0]):
                self._looked_at = _again(seen, iterator)
                self.naming_first = partial(_naming, f"batch {number}: ", *parts[:2])
                return parts
        raise ValueError("X: the iterator has no batches; expected (X, y) or (X, y, sample_weight)")

    def labels(self) -> Iterator[Any]:
        """Go through all labels once."""
        if hasattr(self._batches, "targets"):  # without the features
            yield from self._batches.targets()
            return
        for number, batch in enumerate(self._iterate()):
            yield _parts(batch, number)[1]

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        """Return the batches of an epoch."""
        for i, batch in enumerate(self._iterate()):
            X, y, weights = _parts(batch, i)
            if i < skip:
                continue
            if _length(X):
                yield _checked(self.check, X, y, weights, f"batch {i}: ")
            else:
                yield _NOTHING

    def _iterate(self) -> Iterator[Any]:
        if self._looked_at is not None:
            iterator, self._looked_at = self._looked_at, None
            return iterator
        if not callable(self._batches):
            return iter(self._batches)
        made = self._batches()
        if not isinstance(made, Iterable):
            raise TypeError(f"X: the callable returned {made!r}; expected an iterator of batches")
        return iter(made)


def _again(seen: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    """Return a pass from its start, and let go of each batch when it has been."""
    while seen:
        yield seen.pop(0)
    # `yield from` would close the user's generator where an error ends the pass
    for batch in rest:  # noqa: UP028
        yield batch


def as_stream(X: Any, y: Any, sample_weight: Any) -> Stream | None:
    """Return batches as a `Stream`, or None if X is an array or the like of it."""
    if is_arrow(X):
        if not isinstance(y, str):
            raise ValueError(
                "y: expected the name of the column of the targets, as X is Arrow data"
            )
        if sample_weight is not None and not isinstance(sample_weight, str):
            raise ValueError(
                "sample_weight: expected the name of a column or None, as X is Arrow data"
            )
        return Stream(ArrowBatches(X, y, weight=sample_weight))
    if not _makes_batches(X):
        return None
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{name}: expected None, as X gives batches (X, y, sample_weight)")
    return Stream(X)


def is_read_in_place(X: Any) -> bool:
    """
    Return whether X is a memory map whose rows are converted when they are visited, not as a whole.

    The steps have the same bits either way; a smaller map is converted once, which takes less time.
    """
    return (
        isinstance(X, np.memmap)
        and X.ndim == 2
        and X.nbytes > _KEPT_BYTES
        and bool(X.flags.c_contiguous)
        and X.dtype.isnative
        and (X.dtype.kind in "biu" or X.dtype in (np.float16, np.float32, np.float64))
    )


def _makes_batches(X: Any) -> bool:
    if isinstance(X, list | tuple):
        first = X[0] if X else None
        # of any number of parts: what is no batch is named where it is read
        return (
            isinstance(first, list | tuple) and len(first) > 0 and getattr(first[0], "ndim", 0) == 2
        )
    if hasattr(X, "shape") or hasattr(X, "__array__") or hasattr(X, "__dataframe__"):
        return False
    return callable(X) or (isinstance(X, Iterable) and not isinstance(X, str | bytes | dict))


def _parts(batch: Any, number: int) -> tuple[Any, Any, Any]:
    is_sequence = isinstance(batch, list | tuple)
    if not is_sequence or len(batch) not in (2, 3):
        found = type(batch).__name__
        if is_sequence:
            found = f"a {found} of {len(batch)}"
        raise ValueError(f"batch {number}: expected (X, y) or (X, y, sample_weight), got {found}")
    return batch[0], batch[1], batch[2] if len(batch) == 3 else None


def _length(X: Any) -> int:
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)
