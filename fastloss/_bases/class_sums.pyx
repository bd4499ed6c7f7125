"""
Sums by class of two gradients and of the weights: the gradient of a loss's parameters, one or two a
class. Parts of the samples, which depend on their number alone, have sums of their own.
"""

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from libc.string cimport memcpy
from numpy cimport ndarray

from fastloss._bases.pointwise cimport PointwiseLoss, describe_labels
from fastloss._bases.pointwise_job cimport *
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss._core.weights cimport sum_weights
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    MOST_PARTS = 32
    LEAST_PART = 4096

ctypedef fused real:
    float
    double


cdef Py_ssize_t _count_parts(Py_ssize_t n, Py_ssize_t n_classes) noexcept nogil:
    """No more of them than leaves the sums of all parts smaller than the samples."""
    return min(
        <Py_ssize_t>MOST_PARTS, max(<Py_ssize_t>1, n // max(<Py_ssize_t>LEAST_PART, 8 * n_classes))
    )


cdef void _add_by_class(
    const real* labels, const real* first, const real* second, const real* weights, Py_ssize_t n,
    double* sums
) noexcept nogil:
    cdef Py_ssize_t i
    cdef double* own
    for i in range(n):
        own = sums + 3 * <Py_ssize_t>labels[i]
        own[0] += first[i]
        own[1] += second[i]
        own[2] += weights[i] if weights != NULL else 1.0


cdef int _add_part(
    const Job* job, const void* first_table, const void* second_table, Py_ssize_t start,
    Py_ssize_t end, double* sums
) noexcept nogil:
    """1, and no sums of that piece, if a label is invalid."""
    cdef FlPointwiseBlock block
    cdef double y[PIECE]
    cdef double f[PIECE]
    cdef double w[PIECE]
    cdef double first[PIECE]
    cdef double second[PIECE]
    cdef const void* labels
    cdef Py_ssize_t m
    cdef int precision = job.precision
    block.y_true = y
    block.params = job.params
    block.scale = 1.0
    block.fresh = True
    block.following = 0
    block.stream = 0
    block.invalid = 0
    block.sample_weight = NULL
    block.loss = NULL
    block.hessian = NULL
    while start < end:
        m = min(end - start, <Py_ssize_t>PIECE)
        # a copy: sums go where checked labels say, and another thread may change those of the caller
        labels = piece_of(&job.y_true, precision, start, m, y)
        if labels != <const void*>y:
            memcpy(y, labels, m * job.y_true.itemsize)
        block.raw_prediction = piece_of(&job.raw_prediction, precision, start, m, f)
        if job.has_weight:
            block.sample_weight = piece_of(&job.sample_weight, precision, start, m, w)
        block.table = first_table
        block.gradient = first
        job.function(&block, m)
        block.table = second_table
        block.gradient = second
        job.function(&block, m)
        if block.invalid:
            return 1
        if precision == FL_F64:
            _add_by_class[double](
                <const double*>block.y_true, first, second, <const double*>block.sample_weight, m,
                sums,
            )
        else:
            _add_by_class[float](
                <const float*>block.y_true, <const float*>first, <const float*>second,
                <const float*>block.sample_weight, m, sums,
            )
        start += m
    return 0


cdef int _add_parts(
    const Job* job, const void* first_table, const void* second_table, Py_ssize_t n,
    Py_ssize_t n_classes, double* sums, int threads
) noexcept nogil:
    """Into (_count_parts(n, n_classes), n_classes, 3) sums; not 0 if a label is invalid."""
    cdef Py_ssize_t part, n_parts = _count_parts(n, n_classes)
    cdef Py_ssize_t length = (n + n_parts - 1) // n_parts
    cdef int invalid = 0
    if threads > 1:
        for part in prange(n_parts, schedule="static", num_threads=threads):
            invalid += _add_part(
                job, first_table, second_table, part * length, min(n, (part + 1) * length),
                sums + part * 3 * n_classes,
            )
    else:
        for part in range(n_parts):
            invalid += _add_part(
                job, first_table, second_table, part * length, min(n, (part + 1) * length),
                sums + part * 3 * n_classes,
            )
    return invalid


def class_sums(
    PointwiseLoss loss not None, tables, y_true, raw_prediction, sample_weight=None, n_threads=None
):
    """
    Return sums by class: of gradients under either table, and of weights.

    Parameters
    ----------
    loss : PointwiseLoss
        An ordinal one.
    tables : tuple of tuple of ndarray
        For each of two columns a table in float64 and one in float32, in place of the loss's own.
    y_true, raw_prediction, sample_weight, n_threads
        As `loss`.

    Returns
    -------
    ndarray of shape (C, 3)
        In float64; its bits do not depend on the number of threads.
    """
    cdef Job job
    cdef ndarray f = as_prediction(raw_prediction, "raw_prediction")
    cdef ndarray y = as_values(y_true, "y_true"), w
    cdef ndarray first, second, sums
    cdef int precision, threads, invalid
    cdef Py_ssize_t n = size_of(f), n_classes
    if loss._functions == NULL or loss._tables is None:
        raise TypeError(f"{type(loss).__name__}: not an ordinal loss, or not initialised")
    n_classes = <Py_ssize_t>loss._values[FL_LAST_CLASS] + 1
    precision = precision_of(f, "raw_prediction")
    threads = thread_count(n_threads, n)
    job.precision = precision
    job.one_hot = 0
    loss._table(precision)
    w = describe_labels(&job, y, f, sample_weight)
    if w is not None:
        sum_weights(w, "sample_weight", precision, n_threads)
    describe_in_job(f, "raw_prediction", precision, &job, &job.raw_prediction)
    job.function = loss._functions[FL_GRADIENT * 2 + precision]
    job.params = loss._values
    first, second = tables[0][precision], tables[1][precision]
    sums = np.zeros((_count_parts(n, n_classes), n_classes, 3))
    with nogil:
        invalid = _add_parts(
            &job, cnp.PyArray_DATA(first), cnp.PyArray_DATA(second), n, n_classes,
            <double*>cnp.PyArray_DATA(sums), threads,
        )
    if invalid:
        loss._check_labels(y, precision)
    return (<object>sums).sum(axis=0)
