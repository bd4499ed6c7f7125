# Sums by class of two gradients and of the weights: the gradient of a loss's parameters, one or two a
# class. Parts of the samples, which depend on their number alone, have sums of their own.
from cython.parallel cimport prange

from fastloss._bases.pointwise_job cimport *
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    MOST_CLASSES = 4194304  # labels are told from others by float32 arithmetic
    MOST_PARTS = 32
    LEAST_PART = 4096

ctypedef fused real:
    float
    double


cdef inline Py_ssize_t class_sum_parts(Py_ssize_t n, Py_ssize_t n_classes) noexcept nogil:
    """No more of them than leaves the sums of all parts smaller than the samples."""
    return min(
        <Py_ssize_t>MOST_PARTS, max(<Py_ssize_t>1, n // max(<Py_ssize_t>LEAST_PART, 8 * n_classes))
    )


cdef inline void add_by_class(
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


cdef inline int add_part(
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
    cdef Py_ssize_t m
    cdef int precision = job.precision
    block.params = job.params
    block.scale = 1.0
    block.fresh = True
    block.stream = 0
    block.invalid = 0
    block.sample_weight = NULL
    block.loss = NULL
    block.hessian = NULL
    while start < end:
        m = min(end - start, <Py_ssize_t>PIECE)
        block.y_true = piece_of(&job.y_true, precision, start, m, y)
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
            add_by_class[double](
                <const double*>block.y_true, first, second, <const double*>block.sample_weight, m,
                sums,
            )
        else:
            add_by_class[float](
                <const float*>block.y_true, <const float*>first, <const float*>second,
                <const float*>block.sample_weight, m, sums,
            )
        start += m
    return 0


cdef inline int add_class_sums(
    const Job* job, const void* first_table, const void* second_table, Py_ssize_t n,
    Py_ssize_t n_classes, double* sums, int threads
) noexcept nogil:
    """Into (class_sum_parts(n, n_classes), n_classes, 3) sums; not 0 if a label is invalid."""
    cdef Py_ssize_t part, n_parts = class_sum_parts(n, n_classes)
    cdef Py_ssize_t length = (n + n_parts - 1) // n_parts
    cdef int invalid = 0
    if threads > 1:
        for part in prange(n_parts, schedule="static", num_threads=threads):
            invalid += add_part(
                job, first_table, second_table, part * length, min(n, (part + 1) * length),
                sums + part * 3 * n_classes,
            )
    else:
        for part in range(n_parts):
            invalid += add_part(
                job, first_table, second_table, part * length, min(n, (part + 1) * length),
                sums + part * 3 * n_classes,
            )
    return invalid
