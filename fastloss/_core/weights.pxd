# Sample weights, and which labels are invalid.
from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastloss.kernels cimport FlArray

cdef object sum_weights(ndarray weights, str argument, int precision, object n_threads)
cdef ndarray balanced_weights(
    ndarray weights, str argument, int precision, object n_threads, double* total, int* exponent
)
cdef Py_ssize_t find_invalid(
    FlArray* array, int precision, Py_ssize_t n, int labels
) noexcept nogil
cdef Py_ssize_t find_no_class(
    FlArray* array, Py_ssize_t n, int64_t last, const int64_t* ignored
) noexcept nogil
