"""Data for linear models, in every form that they take."""

import numpy as np
from scipy import sparse

LAYOUTS = ("dense", "fortran", "csr", "csr64")


def features(rng, n, d, layout="dense", dtype=np.float64):
    """Return features of n samples, a third of them 0 where they are sparse."""
    X = rng.normal(size=(n, d))
    if layout.startswith("csr"):
        X[rng.random((n, d)) < 0.7] = 0.0
        X = sparse.csr_matrix(X.astype(dtype))
        if layout == "csr64":
            X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
        return X
    return np.asarray(X, dtype, order="F" if layout == "fortran" else "C")


def scores(rng, X):
    """Return a linear function of the features."""
    return np.asarray(X @ rng.normal(size=X.shape[1]), np.float64)


def dense(X):
    """Return features as a dense float64 array."""
    return np.asarray(X.toarray() if sparse.issparse(X) else X, np.float64)
