"""Linear objectives: a loss of X times coefficients, reading X once per evaluation."""

import numpy as np

from fastloss._linear.row_curvature import curvature_product, has_curvature
from fastloss._core.runtime import as_index
from fastloss._linear.arrays import checked_csr, checked_penalty, renamed, target_sums
from fastloss._linear.sums import LinearSums
from fastloss.losses._constants import classes_up_to
from fastloss.losses.registry import get_loss, not_a_loss

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.stdint cimport uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._linear.job cimport *
from fastloss._linear.loss cimport describe_loss
from fastloss._linear.matrix cimport describe_dense, describe_sparse
from fastloss._bases.pointwise cimport PointwiseLoss
from fastloss._bases.row_job cimport LABELS_CLASS_OR_SOFT
from fastloss._bases.rows cimport RowLoss
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef extern from "linear/linear.h":
    enum:
        FL_LINEAR_LONG_ROW

cdef enum:
    LONG_BLOCK_BYTES = 262144  # a block of longer rows, in the second
    MOST_BLOCK_ROWS = 1024
    LEAST_COLUMN_ROWS = 256    # where a column's part of a block is what is read at a time
    ENTRIES_A_BLOCK = 2048     # of sparse X, about
    CHUNK_WORK = 65536         # multiplications a chunk, at least
    MOST_CHUNKS = 64           # each has sums of its own
    PRODUCT_NUMBERS = 524288   # of X in a block of a Hessian's product in Python
    MOST_SUM_BYTES = 67108864  # of all chunks, where that leaves a few of them

_CHANGED = "y has changed since it was checked: a label is outside its domain"

_WAYS = {
    "loss": LINEAR_LOSS, "gradient": LINEAR_GRADIENT, "product": LINEAR_PRODUCT,
    "softmax product": LINEAR_SOFTMAX_PRODUCT, "gram": LINEAR_GRAM,
}


cdef int _run_chunks(LinearJob* job, int threads) noexcept nogil:
    """All chunks; how many blocks hold an invalid label."""
    cdef Py_ssize_t c
    cdef int invalid = 0
    if threads > 1:
        for c in prange(job.n_chunks, schedule="dynamic", chunksize=1, num_threads=threads):
            invalid += run_linear_chunk(job, c, threadid())
    else:
        for c in range(job.n_chunks):
            invalid += run_linear_chunk(job, c, 0)
    return invalid


cdef void _merge(const LinearJob* job, double* total) noexcept nogil:
    """The sums of all chunks, always in this order."""
    cdef Py_ssize_t c, j, n = job.n_sums
    cdef const double* sums
    memset(total, 0, n * sizeof(double))
    for c in range(job.n_chunks):
        sums = job.sums + c * n
        for j in range(n):
            total[j] += sums[j]


cdef class LinearObjective:
    """LinearObjective(loss, X, y, sample_weight=None, *, l2=0.0, fit_intercept=True, offset=None, \
n_threads=None, n_outputs=None)
--

    Weighted mean of a loss of X @ coef + intercept, plus an L2 penalty.

    The value is sum(w * loss(y, X @ coef + intercept + offset)) / sum(w) + 1/2 * sum(l2 * coef**2);
    the intercept is not penalised. X is read once per evaluation, block by block: predictions, loss,
    gradient and what it means for the coefficients, while the block is in the cache. Nothing of the
    size of X is ever allocated, and the result does not depend on the number of threads.

    Parameters
    ----------
    loss : loss or str
        A loss of this package, or its name. One of several outputs a sample has coefficients for
        each of its n_outputs outputs.
    X : array-like of shape (n, d), or CSR
        float32 or float64, which is what is computed in; other numbers as float64, float16 as
        float32. Any strides, order and byte order; memory maps. Or anything with ``data``, ``indices``,
        ``indptr`` and ``shape``, such as SciPy's CSR arrays: int32 or int64 indices in any order, the
        same column several times, empty rows. Not copied, but for entries of CSR that are of neither
        dtype: it must not change.
    y : array-like
        Labels as the loss takes them, of n samples.
    sample_weight : array-like of shape (n,), optional
        Finite weights of at least 0.
    l2 : float or array-like
        Penalty of at least 0: a number, one a feature (d,), or one a coefficient (n_outputs, d).
    fit_intercept : bool
        Whether the last coefficient (of each output) is an intercept.
    offset : array-like of shape (n,) or (n, n_outputs), optional
        Added to the predictions.
    n_threads : int, optional
        See `fastloss.set_num_threads`.
    n_outputs : int, optional
        For class labels: how many outputs there are, if not as many as the labels' largest says.

    Raises
    ------
    TypeError, ValueError
        If an argument has a wrong dtype or shape, a label lies outside the loss's domain, or a
        weight, a penalty or a column index is invalid; the message names argument, index and value.

    Notes
    -----
    NaN and infinity in X are data: they propagate to the value. Sums are float64; those of float32
    run for at most some thousand rows in float32.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> X = np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 1.0]])
    >>> objective = fl.LinearObjective("log_loss", X, [0, 1, 1], l2=0.1)
    >>> value, gradient = objective.loss_gradient(np.zeros(3))
    >>> round(value, 4), gradient.round(4).tolist()
    (0.6931, [-0.6667, -0.3333, -0.1667])
    """

    cdef LinearJob _job
    cdef readonly object loss_function
    cdef readonly Py_ssize_t n_samples, n_features, n_outputs
    cdef readonly object dtype
    cdef readonly tuple coef_shape
    cdef readonly bint fit_intercept
    cdef readonly double weight_sum
    cdef object _n_threads
    cdef object _penalty       # float64, to be multiplied with the coefficients, or None
    cdef tuple _kept           # what the pointers in _job point to
    cdef object _curvature
    cdef object _beside        # another loss of the same predictions, and what it summed to
    cdef double _sum_beside
    cdef ndarray _y, _weight, _offset

    def __init__(
        self, loss, X, y, sample_weight=None, *, l2=0.0, fit_intercept=True, offset=None,
        n_threads=None, n_outputs=None,
    ):
        if isinstance(loss, str):
            loss = get_loss(loss)
        if not isinstance(loss, (PointwiseLoss, RowLoss)):
            raise not_a_loss(loss)
        if not isinstance(fit_intercept, (bool, np.bool_)):
            raise TypeError(f"fit_intercept = {fit_intercept!r}: expected True or False")
        memset(&self._job, 0, sizeof(LinearJob))
        self._job.kernels = kernels().linear
        self.loss_function = loss
        self.fit_intercept = fit_intercept
        thread_count(n_threads, 0)
        self._n_threads = n_threads
        if hasattr(X, "indptr") or hasattr(X, "tocsr"):
            self._kept = checked_csr(X)
            data, indices, indptr, n, d = self._kept
            describe_sparse(&self._job, data, indices, indptr, n, d)
        else:
            self._kept = (as_values(X, "X"),)
            describe_dense(&self._job, self._kept[0])
        self.dtype = np.dtype(np.float32 if self._job.precision == FL_F32 else np.float64)
        self.n_samples, self.n_features = self._job.n_samples, self._job.n_features
        if self.n_features == 0:
            raise ValueError(f"X has shape ({self.n_samples}, 0): expected at least one feature")
        self._take_labels(y, sample_weight, n_outputs)
        self._take_offset(offset)
        self._penalty = checked_penalty(l2, self.n_features, self.coef_shape)
        self._divide_work()

    def __reduce__(self):
        raise TypeError("a LinearObjective refers to its data and cannot be pickled: make it anew")

    # ------------------------------------------------------------ what is given

    def _take_labels(self, y, sample_weight, n_outputs):
        cdef ndarray labels = as_values(y, "y")
        cdef ndarray weight = None
        cdef Py_ssize_t n = self.n_samples
        cdef RowLoss rows
        shape = (<object>labels).shape
        loss = self.loss_function
        if len(shape) not in (1, 2) or shape[0] != n:
            raise ValueError(f"y has shape {shape}: expected labels of {n} samples, the rows of X")
        if isinstance(loss, RowLoss):
            rows = loss
            self.n_outputs = _count_outputs(rows, labels, n_outputs)
            rows_shape = (n, self.n_outputs)
            expected = [(n,), rows_shape]
            if rows._labels in (FL_ROW_CLASS, FL_ROW_VALUE):
                expected = [(n,)]
            elif rows._labels != LABELS_CLASS_OR_SOFT:
                expected = [rows_shape]
            if shape not in expected:
                raise ValueError(f"y has shape {shape}: expected {' or '.join(map(str, expected))}")
            self.coef_shape = (self.n_outputs, self.n_features + self.fit_intercept)
        else:
            if len(shape) != 1:
                raise ValueError(f"y has shape {shape}: expected ({n},)")
            if n_outputs not in (None, 1):
                raise ValueError(f"n_outputs = {n_outputs!r}: {type(loss).__name__} has one")
            self.n_outputs = 1
            rows_shape = (n,)
            self.coef_shape = (self.n_features + self.fit_intercept,)
        if sample_weight is not None:
            weight = as_values(sample_weight, "sample_weight")
            if (<object>weight).shape != (n,):
                raise ValueError(
                    f"sample_weight has shape {(<object>weight).shape}: expected ({n},)"
                )
        # the loss of zeros checks labels and weights, and tells what the mean divides by
        zeros = np.broadcast_to(self.dtype.type(0), rows_shape)
        try:
            sums = loss.partial(labels, zeros, weight, n_threads=self._n_threads)
        except (TypeError, ValueError) as error:
            raise renamed(error) from None
        self.weight_sum = sums.weight_sum
        self._y = labels
        if weight is not None and self._job.sparse and _of_each_output(loss):
            weight = np.broadcast_to((<object>weight)[:, None], rows_shape)
        self._weight = weight
        self._job.n_outputs = self.n_outputs

    def _take_offset(self, offset):
        cdef ndarray array
        cdef Py_ssize_t n = self.n_samples
        self._offset = None
        if offset is None:
            return
        array = as_values(offset, "offset")
        if (<object>array).shape == (n,) and self.n_outputs == 1:
            array = (<object>array)[:, None]
        if (<object>array).shape != (n, self.n_outputs):
            expected = f"({n},)" if self.n_outputs == 1 else f"({n}, {self.n_outputs})"
            raise ValueError(f"offset has shape {(<object>array).shape}: expected {expected}")
        if not self._job.sparse:
            array = (<object>array).T  # as the predictions of a block stand in memory
        describe(array, "offset", self._job.precision, &self._job.offset)
        self._job.has_offset = True
        self._offset = array

    def _divide_work(self):
        cdef LinearJob* job = &self._job
        cdef Py_ssize_t rows, n = job.n_samples, d = job.n_features, entries
        if job.sparse:
            entries = job.indptr[n] - job.indptr[0]
            rows = ENTRIES_A_BLOCK * n // max(entries, <Py_ssize_t>1)
        else:
            job.fetches = (
                d * job.item <= FL_LINEAR_LONG_ROW and job.row_stride <= d + FL_LINEAR_PAD
                and not job.in_columns
            )
            rows = (FIRST_CACHE_BYTES if job.fetches else LONG_BLOCK_BYTES) // (d * job.item)
        rows = max(rows, <Py_ssize_t>FL_LINEAR_ROWS) // FL_LINEAR_ROWS * FL_LINEAR_ROWS
        if job.in_columns:
            rows = max(rows, <Py_ssize_t>LEAST_COLUMN_ROWS)
        rows = min(rows, <Py_ssize_t>MOST_BLOCK_ROWS)
        job.block_rows = min(rows, max(n, <Py_ssize_t>1))
        job.raw_stride = (job.block_rows // FL_LINEAR_PAD + 2) * FL_LINEAR_PAD
        job.coef_stride = (d + FL_LINEAR_PAD - 1) // FL_LINEAR_PAD * FL_LINEAR_PAD

    cdef int _divide_chunks(self, LinearJob* job) except -1:
        """Chunks depend on the data's size alone, never on threads."""
        cdef Py_ssize_t n = job.n_samples, d = job.n_features, entries = n * d, most
        cdef Py_ssize_t work
        if job.sparse:
            entries = job.indptr[n] - job.indptr[0]
        work = (entries // d * d * d if job.way == LINEAR_GRAM else entries) * job.n_predictions
        most = min(work // CHUNK_WORK, work // (16 * job.n_sums))
        most = min(
            most, max(<Py_ssize_t>MOST_SUM_BYTES // (8 * job.n_sums), <Py_ssize_t>8)
        )
        most = max(min(most, <Py_ssize_t>MOST_CHUNKS), <Py_ssize_t>1)
        job.chunk_rows = (n + most - 1) // most
        job.chunk_rows = max(
            (job.chunk_rows + job.block_rows - 1) // job.block_rows, <Py_ssize_t>1
        ) * job.block_rows
        job.n_chunks = (n + job.chunk_rows - 1) // job.chunk_rows
        return min(thread_count(self._n_threads, work), max(<int>job.n_chunks, 1))

    # ------------------------------------------------------------ evaluation

    def loss(self, coef):
        """
        Return the value at some coefficients.

        Parameters
        ----------
        coef : array-like
            Of shape ``coef_shape``, intercepts last, or flat; float32 or float64.

        Returns
        -------
        float
            The weighted mean loss plus the penalty.
        """
        _, matrix = self._coefficients(coef, "coef")
        value, _ = self._evaluate("loss", matrix)
        return self._penalised(value / self._total_weight(), matrix)

    def gradient(self, coef, out=None):
        """
        Return the gradient at some coefficients.

        Parameters
        ----------
        coef : array-like
            As in `loss`.
        out : ndarray, optional
            As in `loss_gradient`.

        Returns
        -------
        ndarray
            Of coef's shape and dtype.
        """
        return self.loss_gradient(coef, out)[1]

    def loss_gradient(self, coef, out=None):
        """
        Return value and gradient at some coefficients, from one pass over X.

        Parameters
        ----------
        coef : array-like
            As in `loss`.
        out : ndarray, optional
            Where the gradient goes, of coef's shape and dtype.

        Returns
        -------
        tuple of (float, ndarray)
            The value, and the gradient of coef's shape and dtype.
        """
        given, matrix = self._coefficients(coef, "coef")
        if out is not None:
            checked_out(out, "out", given, "coef")
        value, sums = self._evaluate("gradient", matrix)
        total = self._total_weight()
        gradient = self._in_shape(sums, total, matrix)
        gradient = gradient.reshape(given.shape)
        if out is None:
            out = gradient.astype(given.dtype.newbyteorder("="), copy=False)
        else:
            out[...] = gradient
        return self._penalised(value / total, matrix), out

    def hessian_product(self, coef, v):
        """
        Return the Hessian at some coefficients times a vector, from one pass over X.

        Parameters
        ----------
        coef : array-like
            As in `loss`.
        v : array-like
            The vector, of the same shape.

        Returns
        -------
        ndarray
            Of v's shape and coef's dtype.

        Raises
        ------
        TypeError
            If the loss has several outputs and is made of planes, so that it has no Hessian that tells
            anything: `CrammerSinger`, `MulticlassHinge` with p = 1, `MultilabelMargin`, `MultiPinball`.
        """
        given, matrix = self._coefficients(coef, "coef")
        shape, direction = self._coefficients(v, "v")
        loss = self.loss_function
        if isinstance(loss, PointwiseLoss) or _of_each_output(loss):
            _, sums = self._evaluate("product", matrix, direction)
        elif loss.name == "cross_entropy" and (<RowLoss>loss)._kernel < 0:
            self._take_curvature()
            _, sums = self._evaluate("softmax product", matrix, direction)
        elif has_curvature(loss):
            sums = self._row_product(matrix, direction)
        else:
            raise TypeError(
                f"{loss!r} has no Hessian product: it is made of planes; expected a loss whose "
                "gradient is not a staircase"
            )
        product = self._in_shape(sums, self._total_weight(), direction)
        return product.reshape(shape.shape).astype(given.dtype.newbyteorder("="), copy=False)

    def gradient_hessian(self, coef):
        """
        Return gradient and dense Hessian at some coefficients.

        Parameters
        ----------
        coef : array-like
            As in `loss`.

        Returns
        -------
        tuple of (ndarray, ndarray)
            The gradient, and the Hessian of shape (m, m), both of coef's dtype; m is the number of
            coefficients, in the order of ``coef.ravel()``.

        Raises
        ------
        TypeError
            As `hessian_product`.

        Notes
        -----
        For a loss of one output it is one pass over X, whose work for a row grows with the square of
        d; for several outputs it is m Hessian products.
        """
        loss = self.loss_function
        if not isinstance(loss, PointwiseLoss):
            return self._gradient_products(coef)
        given, matrix = self._coefficients(coef, "coef")
        _, sums = self._evaluate("gram", matrix)
        total = self._total_weight()
        d, dtype = self.n_features, given.dtype.newbyteorder("=")
        gradient = self._in_shape(sums[:d + 1], total, matrix).reshape(given.shape)
        square = sums[d + 1:]
        if self._job.sparse:
            hessian = square.reshape(d + 1, d + 1)
        else:
            hessian = np.empty((d + 1, d + 1))
            hessian[:, :d] = square[:(d + 1) * d].reshape(d + 1, d)
            hessian[:, d] = square[(d + 1) * d:]
        # both triangles from one: rounded alike
        hessian = np.tril(hessian)
        hessian += np.tril(hessian, -1).T
        hessian /= total
        if self._penalty is not None:
            hessian[np.arange(d), np.arange(d)] += self._penalty
        if not self.fit_intercept:
            hessian = hessian[:d, :d]
        return gradient.astype(dtype, copy=False), hessian.astype(dtype)

    def hessian(self, coef):
        """
        Return the dense Hessian at some coefficients.

        Parameters
        ----------
        coef : array-like
            As in `loss`.

        Returns
        -------
        ndarray of shape (m, m)
            As in `gradient_hessian`.

        Raises
        ------
        TypeError
            As `hessian_product`.
        """
        return self.gradient_hessian(coef)[1]

    def partial(self, coef):
        """
        Return the sums of these samples, to be merged with those of others.

        Parameters
        ----------
        coef : array-like
            As in `loss`.

        Returns
        -------
        LinearSums
            With ``loss_sum``, ``weight_sum``, ``gradient_sum`` (float64, of ``coef_shape``) and
            ``n_samples``, without a penalty; ``a + b`` merges, ``finish`` gives value and gradient.
        """
        _, matrix = self._coefficients(coef, "coef")
        value, sums = self._evaluate("gradient", matrix)
        gradient = self._in_shape(sums, 1.0, None).reshape(self.coef_shape)
        return LinearSums(
            value, self.weight_sum, gradient, self.n_samples, bool(self.fit_intercept)
        )

    # ------------------------------------------------------------ inside

    def _coefficients(self, coef, argument):
        """An array as it was given, and as float64 (n_outputs, d + 1) with intercepts."""
        cdef ndarray array = as_prediction(coef, argument)
        precision_of(array, argument)
        given = <object>array
        count = self.coef_shape[len(self.coef_shape) - 1]
        if given.shape not in (
            self.coef_shape, (self.n_outputs * count,), (self.n_outputs, count)
        ):
            flat = f" or ({self.n_outputs * count},)" if self.n_outputs > 1 else ""
            raise ValueError(
                f"{argument} has shape {given.shape}: expected {self.coef_shape}{flat}"
            )
        matrix = np.zeros((self.n_outputs, self.n_features + 1))
        matrix[:, :count] = given.reshape(self.n_outputs, count)
        return given, matrix

    def _in_shape(self, sums, total, matrix):
        """Sums of all rows divided by their weight, plus the penalty's part, as (n_outputs, d[+1])."""
        n_outputs, d = self.n_outputs, self.n_features
        features = sums[:n_outputs * d]
        if self._job.sparse:
            features = features.reshape(d, n_outputs).T
        else:
            features = features.reshape(n_outputs, d)
        gradient = np.empty((n_outputs, d + self.fit_intercept))
        if self.fit_intercept:
            gradient[:, d] = sums[n_outputs * d:]
            gradient[:, d] /= total
        penalised = np.divide(features, total, out=gradient[:, :d])
        if matrix is not None and self._penalty is not None:
            with np.errstate(over="ignore"):
                penalised += self._penalty * matrix[:, :d]
        return gradient

    def _penalised(self, value, matrix):
        if self._penalty is None:
            return value
        coef = matrix[:, :self.n_features]
        with np.errstate(over="ignore"):
            return value + 0.5 * float((self._penalty * (coef * coef)).sum())

    cdef double _total_weight(self) except? -1.0:
        if not self.weight_sum > 0:
            warn_empty("an empty array" if self.n_samples == 0 else "samples whose weights sum to zero")
            return np.nan
        return self.weight_sum

    cdef tuple _evaluate(self, str way, matrix, direction=None):
        """The sum of the losses, and what else the way sums, in float64."""
        cdef LinearJob job = self._job
        cdef ndarray coef, intercept, total
        cdef int threads, invalid = 0
        cdef Py_ssize_t d = job.n_features
        cdef LinearBuffers unused
        cdef char* memory
        cdef double value
        job.way = _WAYS[way]
        job.n_predictions = job.n_outputs * (2 if direction is not None else 1)
        job.n_sums = job.n_outputs * (d + 1)
        if job.way == LINEAR_GRAM:
            job.n_sums += (d + 1) * (d + 1)
        if direction is not None:
            matrix = np.concatenate([matrix, direction])
        coef, intercept = self._packed(matrix)
        job.coef = cnp.PyArray_DATA(coef)
        job.intercept = cnp.PyArray_DATA(intercept)
        if self._curvature is not None:
            job.curvature = <const char*>cnp.PyArray_DATA(<ndarray>self._curvature)
        describe_loss(&job, self.loss_function, self._beside, self._y, self._weight)
        threads = self._divide_chunks(&job)
        total = np.empty(job.n_sums)
        job.scratch_bytes = divide_linear_scratch(&job, NULL, &unused)
        memory = <char*>malloc(
            threads * job.scratch_bytes + 64
            + (job.n_chunks * (job.n_sums + 2) + FL_LINEAR_PAD) * sizeof(double)
        )
        if memory == NULL:
            raise MemoryError
        job.scratch = <char*>((<uintptr_t>memory + 63) // 64 * 64)
        job.scratch_bytes = job.scratch_bytes // 64 * 64
        job.losses = <double*>(job.scratch + threads * job.scratch_bytes)
        job.losses_beside = job.losses + job.n_chunks
        job.sums = job.losses_beside + job.n_chunks
        with nogil:
            invalid = _run_chunks(&job, threads)
            _merge(&job, <double*>cnp.PyArray_DATA(total))
            value = fl_sum_pairwise(job.losses, job.n_chunks)
            self._sum_beside = fl_sum_pairwise(job.losses_beside, job.n_chunks)
        free(memory)
        if invalid:
            raise ValueError(_CHANGED)
        return value, total

    def _check_again(self, labels):
        """An error if class labels have changed to what is no class."""
        cdef RowLoss loss = self.loss_function
        if labels.ndim != 1 or loss._labels not in (LABELS_CLASS_OR_SOFT, FL_ROW_CLASS):
            return
        wrong = ~((labels >= 0) & (labels < self.n_outputs + loss._extra_classes))
        if loss._ignore_index is not None:
            wrong &= labels != loss._ignore_index
        if wrong.any():
            raise ValueError(_CHANGED)

    def _packed(self, matrix):
        """Coefficients and intercepts of (n_outputs, d + 1) as the kernels want them."""
        d = self.n_features
        if self.dtype != matrix.dtype:
            with np.errstate(over="ignore", under="ignore"):
                matrix = matrix.astype(self.dtype)
        if self._job.sparse:
            halves = matrix[:, :d].reshape(-1, self.n_outputs, d).transpose(0, 2, 1)
            coef = np.zeros(halves.size + FL_LINEAR_PAD, self.dtype)
            coef[:halves.size] = halves.ravel()
        else:
            coef = np.zeros((len(matrix), self._job.coef_stride), self.dtype)
            coef[:, :d] = matrix[:, :d]
        intercept = np.zeros(len(matrix) + FL_LINEAR_PAD, self.dtype)
        intercept[:len(matrix)] = matrix[:, d]
        return coef, intercept

    def _row_product(self, matrix, direction):
        """The sums of a Hessian's product whose samples are computed in Python, block by block."""
        cdef LinearJob job = self._job
        cdef LinearBuffers buffers
        cdef FlLinearBlock block
        cdef ndarray coef, intercept, raw, total
        cdef Py_ssize_t at, n, d = job.n_features, half
        cdef char* memory
        coef, intercept = self._packed(np.concatenate([matrix, direction]))
        job.way = LINEAR_GRADIENT
        job.n_predictions = 2 * job.n_outputs
        job.block_rows = min(max(PRODUCT_NUMBERS // d, <Py_ssize_t>256), <Py_ssize_t>FLUSH_ROWS)
        job.raw_stride = (job.block_rows // FL_LINEAR_PAD + 2) * FL_LINEAR_PAD
        job.coef = cnp.PyArray_DATA(coef)
        job.intercept = cnp.PyArray_DATA(intercept)
        total = np.zeros(job.n_outputs * (d + 1) + FL_LINEAR_PAD)
        half = job.n_outputs * job.raw_stride
        # as the kernels lay them out, and as (2, n, n_outputs)
        raw = np.zeros(2 * half + FL_LINEAR_PAD, self.dtype)
        both = (<object>raw)[:2 * half]
        if job.sparse:
            both = both.reshape(2, job.raw_stride, job.n_outputs)
        else:
            both = both.reshape(2, job.n_outputs, job.raw_stride).transpose(0, 2, 1)
        job.scratch_bytes = divide_linear_scratch(&job, NULL, &buffers)
        memory = <char*>malloc(job.scratch_bytes + 64)
        if memory == NULL:
            raise MemoryError
        memset(&block, 0, sizeof(block))
        try:
            divide_linear_scratch(&job, <char*>((<uintptr_t>memory + 63) // 64 * 64), &buffers)
            buffers.raw = <char*>cnp.PyArray_DATA(raw)
            memset(buffers.sums, 0, 0 if job.sparse else job.n_outputs * job.coef_stride * job.item)
            block.n_features = d
            block.data = job.data
            block.indices = job.indices
            block.coef_stride = job.coef_stride
            block.raw_stride = job.raw_stride
            block.intercept_sums = <double*>cnp.PyArray_DATA(total) + job.n_outputs * d
            block.sums = cnp.PyArray_DATA(total) if job.sparse else <void*>buffers.sums
            for at in range(0, job.n_samples, job.block_rows):
                n = min(job.block_rows, job.n_samples - at)
                block.n_rows = n
                find_rows(&job, at, n, buffers.x, &block)
                predict_rows(&job, &buffers, at, &block)
                rows = both[:, :n].astype(np.float64)
                labels = self._y[at:at + n]
                self._check_again(labels)
                product = curvature_product(self.loss_function, labels, rows[0], rows[1])
                if self._weight is not None:
                    weight = (<object>self._weight)[at:at + n, None]
                    product = np.where(weight == 0, 0.0, product * weight)
                both[1, :n] = product
                block.n_outputs = job.n_outputs
                block.raw = second_half(&job, &buffers)
                if job.sparse:
                    job.kernels.csr_backward[job.precision][job.wide_indices](&block)
                else:
                    job.kernels.dense_backward[job.precision](&block)
                    flush_sums(&job, &buffers, <double*>cnp.PyArray_DATA(total))
        finally:
            free(memory)
        return (<object>total)[:job.n_outputs * (d + 1)]

    def _gradient_products(self, coef):
        """Gradient and Hessian, this column by column."""
        given, _ = self._coefficients(coef, "coef")
        unit = np.zeros(given.size)
        if not self.weight_sum > 0:  # warned of once, not for each column
            nothing = self.hessian_product(coef, unit)
            hessian = np.full((given.size, given.size), np.nan, nothing.dtype)
            return nothing.reshape(given.shape), hessian
        hessian = np.empty((given.size, given.size), given.dtype.newbyteorder("="))
        for j in range(given.size):
            PyErr_CheckSignals()
            unit[j] = 1.0
            hessian[j] = self.hessian_product(coef, unit)
            hessian[:j, j] = hessian[j, :j]  # both triangles from one: rounded alike
            unit[j] = 0.0
        return self.gradient(coef), hessian

    def _of_every(self, stride, one_thread):
        """An objective of every stride-th row, copied, of one output and dense X without an offset."""
        X, weight = self._kept[0], self._weight
        return LinearObjective(
            self.loss_function, np.ascontiguousarray(X[::stride]), (<object>self._y)[::stride].copy(),
            None if weight is None else (<object>weight)[::stride].copy(),
            l2=0.0 if self._penalty is None else self._penalty,
            fit_intercept=bool(self.fit_intercept), n_threads=1 if one_thread else self._n_threads,
        )

    def _exchange(self, loss, beside=None):
        """Another loss of the same class, and one whose `_mean_beside` comes with value and gradient.

        With a dense Hessian the gradient is then that of the loss beside.
        """
        if type(loss) is not type(self.loss_function):
            raise TypeError(f"{loss!r}: expected a {type(self.loss_function).__name__}")
        self.loss_function, self._beside = loss, beside

    def _mean_beside(self):
        """Of the last evaluation, the mean of the other loss."""
        return self._sum_beside / self.weight_sum

    def _take_curvature(self):
        """Each sample's weight times the sum of its targets: the softmax Hessian's factor."""
        if self._curvature is None:
            factors = target_sums(self._y, self.n_outputs, self.loss_function.params)
            if self._weight is not None:
                factors = factors * self._weight
            self._curvature = np.ascontiguousarray(factors, dtype=self.dtype)


cdef bint _of_each_output(loss) except -1:
    return isinstance(loss, RowLoss) and (<RowLoss>loss)._composite


def _count_outputs(RowLoss loss, labels, n_outputs):
    """How many outputs a sample has."""
    known = loss.n_outputs
    if known is None and loss._class_weight is not None:
        known = len(loss._class_weight)
    if known is None and labels.ndim == 2:
        known = labels.shape[1]
    if n_outputs is not None:
        n_outputs = as_index(n_outputs, "n_outputs", "an integer of at least 1, or None")
        if not 1 <= n_outputs < 2**31 or known not in (None, n_outputs):
            raise ValueError(f"n_outputs = {n_outputs}: expected {known or '1 to 2**31 - 1'}")
        return n_outputs
    if known is not None:
        return known
    if labels.ndim != 1 or labels.dtype.kind not in "biuf":
        raise ValueError(f"y has shape {labels.shape}: {type(loss).__name__} needs n_outputs")
    counted = labels if loss._ignore_index is None else labels[labels != loss._ignore_index]
    if counted.size == 0 or not np.isfinite(counted.max()):
        raise ValueError(f"y has no label that counts: {type(loss).__name__} needs n_outputs")
    try:
        return max(classes_up_to(counted.max()) - loss._extra_classes, 1)
    except ValueError as error:
        raise renamed(error) from None
