# Updates of single rows of an array, and of its states.
from numpy cimport ndarray

from fastloss.kernels cimport FlOptimBlock


cdef int run_rows(
    ndarray param, ndarray rows, ndarray grads, tuple states, int optimizer,
    const FlOptimBlock* block, object n_threads
) except -1
