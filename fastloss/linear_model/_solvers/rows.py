"""Products with the rows of X, a column of ones and some rows of the unit matrix beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss.linear_model._solvers.solution import Vector

_BLOCK = 1 << 16  # numbers of a block of rows: half a megabyte, so that it stays in L2


class Rows:
    """
    The matrix [X, 1; X, 1; …; E, 0], never formed: X once for each straight line of a sample.

    Parameters
    ----------
    X : array or sparse matrix, shape (n, d)
        Features.
    fit_intercept : bool
        Whether there is a column of ones behind X.
    penalised : ndarray of int
        Columns whose rows of the unit matrix follow those of X.
    copies : int
        How often the rows of X stand there.
    """

    def __init__(
        self, X: Any, fit_intercept: bool, penalised: npt.NDArray[np.intp], copies: int
    ) -> None:
        self.sparse = hasattr(X, "indptr")
        self.X = X.astype(np.float64) if self.sparse else X
        self.samples, self.d = X.shape
        self.copies = copies
        self.n = copies * self.samples  # rows of X, all copies
        self.fit_intercept = fit_intercept
        self.penalised = penalised
        self.n_coef = self.d + fit_intercept
        self.block = max(256, _BLOCK // max(self.n_coef, 1))

    def times(self, coef: Vector) -> Vector:
        """Return the product with coefficients."""
        out = np.empty(self.n + len(self.penalised))
        first = out[: self.samples]
        if self.sparse:
            first[:] = self.X @ coef[: self.d]
        else:
            for rows in self._blocks():
                np.dot(self._dense(rows), coef[: self.d], out=first[rows])
        if self.fit_intercept:
            first += coef[-1]
        for copy in range(1, self.copies):
            out[copy * self.samples :][: self.samples] = first
        out[self.n :] = coef[self.penalised]
        return out

    def transposed_times(self, values: Vector) -> Vector:
        """Return the product of the transposed matrix with a value for each row."""
        out = np.zeros(self.n_coef)
        merged = self._merged(values)
        if self.sparse:
            out[: self.d] = self.X.T @ merged
        else:
            for rows in self._blocks():
                out[: self.d] += merged[rows] @ self._dense(rows)
        if self.fit_intercept:
            out[-1] = merged.sum()
        out[self.penalised] += values[self.n :]
        return out

    def gram(self, weights: Vector) -> Vector:
        """Return the transposed matrix times the weighted one."""
        out = np.zeros((self.n_coef, self.n_coef))
        root = np.sqrt(self._merged(weights))
        if self.sparse:
            scaled = self.X.multiply(root[:, None]).tocsr()
            out[: self.d, : self.d] = (scaled.T @ scaled).toarray()
            if self.fit_intercept:
                out[: self.d, -1] = out[-1, : self.d] = scaled.T @ root
                out[-1, -1] = root @ root
        else:
            scaled = np.empty((min(self.block, self.samples), self.n_coef))
            for rows in self._blocks():
                part = scaled[: rows.stop - rows.start]
                np.multiply(self.X[rows], root[rows, None], out=part[:, : self.d])
                if self.fit_intercept:
                    part[:, -1] = root[rows]
                out += part.T @ part
        out[self.penalised, self.penalised] += weights[self.n :]
        return out

    def take(self, chosen: npt.NDArray[np.intp]) -> Vector:
        """Return some rows of the matrix."""
        out = np.zeros((len(chosen), self.n_coef))
        real = chosen < self.n
        part = self.X[chosen[real] % self.samples]
        out[real, : self.d] = part.toarray() if self.sparse else part
        if self.fit_intercept:
            out[real, -1] = 1.0
        out[~real, self.penalised[chosen[~real] - self.n]] = 1.0
        return out

    def _merged(self, values: Vector) -> Vector:
        """Return the sum over the copies of each row of X."""
        if self.copies == 1:
            return values[: self.n]
        merged: Vector = values[: self.n].reshape(self.copies, self.samples).sum(axis=0)
        return merged

    def _blocks(self) -> list[slice]:
        return [
            slice(i, min(i + self.block, self.samples)) for i in range(0, self.samples, self.block)
        ]

    def _dense(self, rows: slice) -> Any:
        part = self.X[rows]
        return part if part.dtype == np.float64 else part.astype(np.float64)
