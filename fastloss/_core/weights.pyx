"""Sample weights: their sum, a factor that keeps a mean in range, and which of them is invalid."""

import math

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

_WRONG_WEIGHT = "weights must be finite and not negative"


cdef int _sum_weights_block(
    const FlArray* weights, int precision, Py_ssize_t start, Py_ssize_t n, double* partial
) noexcept nogil:
    """1 if a weight of the block is invalid."""
    cdef double sums[FL_SUM_LANES]
    cdef double buffer[1024]
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef Py_ssize_t done = 0, m
    cdef int valid = 1
    memset(sums, 0, sizeof(sums))
    if weights.contiguous:
        valid = kernels().sum_weights[precision](weights.data + start * item, n, sums)
    else:
        while done < n:
            m = min(n - done, <Py_ssize_t>1024)
            kernels().read[precision](weights, start + done, m, buffer)
            valid &= kernels().sum_weights[precision](buffer, m, sums)
            done += m
    partial[0] = kernels().fold_sums(sums)
    return not valid


cdef int _sum_weights_blocks(
    const FlArray* weights, int precision, Py_ssize_t n, Py_ssize_t length, double* partials,
    int threads
) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (n + length - 1) // length
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += _sum_weights_block(
                weights, precision, b * length, min(length, n - b * length), &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += _sum_weights_block(
                weights, precision, b * length, min(length, n - b * length), &partials[b]
            )
    return invalid


cdef Py_ssize_t find_invalid(FlArray* array, int precision, Py_ssize_t n, int labels) noexcept nogil:
    """The flat index of the first element outside a label domain, or -1."""
    cdef double buffer[1024]
    cdef Py_ssize_t start = 0, m, found
    if array.contiguous:
        return kernels().find_invalid[precision](array.data, n, labels)
    while start < n:
        m = min(n - start, <Py_ssize_t>1024)
        kernels().read[precision](array, start, m, buffer)
        found = kernels().find_invalid[precision](buffer, m, labels)
        if found >= 0:
            return start + found
        start += m
    return -1


cdef Py_ssize_t find_no_class(
    FlArray* array, Py_ssize_t n, int64_t last, const int64_t* ignored
) noexcept nogil:
    """The flat index of the first label that is no class from 0 to last and not ignored, or -1."""
    cdef int64_t labels[1024]
    cdef Py_ssize_t start = 0, m, i
    while start < n:
        m = min(n - start, <Py_ssize_t>1024)
        kernels().read_labels(array, start, m, labels)
        for i in range(m):
            if (labels[i] < 0 or labels[i] > last) and (ignored == NULL or labels[i] != ignored[0]):
                return start + i
        start += m
    return -1


cdef bint _sum_if_valid(
    ndarray weights, str argument, int precision, object n_threads, double* total
) except -1:
    """The sum of the weights as kernels of a precision see them; whether all are valid there."""
    cdef FlArray array
    cdef Py_ssize_t n = cnp.PyArray_SIZE(weights), length = block_length(n)
    cdef Py_ssize_t n_blocks = (n + length - 1) // length
    cdef int invalid, threads = thread_count(n_threads, n)
    cdef double one_partial
    cdef double* partials = &one_partial
    total[0] = 0.0
    describe(weights, argument, precision, &array)
    if n == 0:
        return True
    if n_blocks > 1:
        partials = <double*>malloc(n_blocks * sizeof(double))
        if partials == NULL:
            raise MemoryError
        with nogil:
            invalid = _sum_weights_blocks(&array, precision, n, length, partials, threads)
    else:
        invalid = _sum_weights_blocks(&array, precision, n, length, partials, 1)
    total[0] = fl_sum_pairwise(partials, n_blocks)
    if n_blocks > 1:
        free(partials)
    return not invalid


cdef int _refuse_invalid_weight(ndarray weights, str argument, int precision, str what) except -1:
    """An error that names the first weight that is not valid in a precision, if there is one."""
    cdef FlArray array
    cdef Py_ssize_t index
    describe(weights, argument, precision, &array)
    index = find_invalid(&array, precision, cnp.PyArray_SIZE(weights), FL_LABELS_NONNEGATIVE)
    if index >= 0:
        raise ValueError(f"{element(argument, weights, index)}: {what}")
    return 0


cdef object sum_weights(ndarray weights, str argument, int precision, object n_threads):
    """The sum of the weights, in float64; an error if one is negative or not finite."""
    cdef double total
    if not _sum_if_valid(weights, argument, precision, n_threads, &total):
        _refuse_invalid_weight(weights, argument, FL_F64, _WRONG_WEIGHT)
        _refuse_invalid_weight(
            weights, argument, precision,
            "too large for raw_prediction's float32, whose largest number is 3.4028235e+38",
        )
    return total


cdef ndarray balanced_weights(
    ndarray weights, str argument, int precision, object n_threads, double* total, int* exponent
):
    """
    Weights for a mean and their sum: as they are, or divided by 2^exponent, which a mean does not see.

    Divided where their sum, its inverse or their products with losses might leave the precision's
    range. Only then is there a copy, and a pass more.
    """
    cdef bint wide = precision == FL_F64
    cdef double least = 2.0**-300 if wide else 2.0**-40, most = 2.0**500 if wide else 2.0**64
    exponent[0] = 0
    if _sum_if_valid(weights, argument, precision, n_threads, total) and least <= total[0] <= most:
        return weights
    _refuse_invalid_weight(weights, argument, FL_F64, _WRONG_WEIGHT)
    largest = float((<object>weights).max(initial=0))
    if largest == 0.0:
        return weights
    exponent[0] = math.frexp(largest)[1]
    with np.errstate(under="ignore"):
        scaled = np.asarray(np.ldexp(np.asarray(weights, dtype=np.float64), -exponent[0]))
    total[0] = sum_weights(<ndarray>scaled, argument, precision, n_threads)
    return <ndarray>scaled


def checked_weights(weights, dtype, *, bint for_mean, n_threads=None):
    """
    Check sample weights, for losses that are written in Python.

    Parameters
    ----------
    weights : ndarray
        Sample weights.
    dtype : dtype
        float32 or float64, that of the predictions.
    for_mean : bool
        Whether a common factor does not matter.
    n_threads : int, optional
        See `set_num_threads`.

    Returns
    -------
    tuple of (ndarray, float, int)
        The weights divided by 2**exponent, the sum of these, and the exponent: 0 unless they are for
        a mean and extreme.
    """
    cdef double total
    cdef int exponent = 0, precision = FL_F64 if np.dtype(dtype).itemsize == 8 else FL_F32
    if for_mean:
        weights = balanced_weights(
            weights, "sample_weight", precision, n_threads, &total, &exponent
        )
    else:
        total = sum_weights(weights, "sample_weight", precision, n_threads)
    return weights, total, exponent
