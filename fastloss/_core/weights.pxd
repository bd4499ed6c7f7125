# Sample weights.
from numpy cimport ndarray

from fastloss.kernels cimport FlArray

cdef object sum_weights(ndarray weights, str argument, int precision, object n_threads)
cdef ndarray balanced_weights(
    ndarray weights, str argument, int precision, object n_threads, double* total, int* exponent
)
cdef Py_ssize_t find_invalid(
    FlArray* array, int precision, Py_ssize_t n, int labels
) noexcept nogil
