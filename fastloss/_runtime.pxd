# What the compiled modules share: the chosen kernels, array descriptions, threads, output checks.
from numpy cimport ndarray

from fastloss.kernels cimport FlArray, FlKernels

cdef enum:
    REDUCTION_MEAN
    REDUCTION_SUM
    REDUCTION_NONE

cdef const FlKernels* kernels() noexcept nogil
cdef int reduction_code(object reduction) except -1
cdef ndarray as_prediction(object raw_prediction, str argument)
cdef ndarray as_values(object values, str argument)
cdef int precision_of(ndarray array, str argument) except -1
cdef int describe(ndarray array, str argument, int precision, FlArray* out) except -1
cdef bint same_shape(ndarray a, ndarray b) noexcept
cdef bint same_memory(ndarray a, ndarray b) noexcept
cdef bint overlaps(ndarray a, ndarray b) except -1
cdef ndarray new_like(ndarray prototype)
cdef ndarray checked_out(object out, str argument, ndarray prototype, str prototype_name)
cdef int refuse_overlap(ndarray out, str argument, object other, str other_name) except -1
cdef int thread_count(object n_threads, Py_ssize_t work) except -1
cdef Py_ssize_t block_length(Py_ssize_t n) noexcept nogil
cdef bint beyond_cache(Py_ssize_t n_bytes) noexcept nogil
cdef str element(str argument, ndarray array, Py_ssize_t flat_index)
cdef object sum_weights(ndarray weights, str argument, int precision, object n_threads)
cdef Py_ssize_t find_invalid(
    FlArray* array, int precision, Py_ssize_t n, int labels
) noexcept nogil
cdef int warn_empty(str what) except -1
