# The compiled base of every pointwise loss, for other drivers of its kernels.
from numpy cimport ndarray

from fastloss._bases.loss cimport Loss
from fastloss._bases.pointwise_job cimport Job
from fastloss.kernels cimport *

cdef ndarray describe_labels(Job* job, ndarray y, ndarray f, object sample_weight)


cdef class PointwiseLoss(Loss):
    cdef int _which                        # FL_ID_* of its kernel
    cdef const FlPointwiseFn* _functions   # [operation][precision]
    cdef double _values[FL_MAX_PARAMS]
    cdef bint _beyond_float32              # float32 arrays are computed by float64 kernels
    cdef int _labels
    cdef int _link
    cdef object _tables                    # (float64, float32), or None

    cdef object _evaluate(
        self, int operation, object y_true, object raw_prediction, object sample_weight,
        object reduction, object out, object n_threads, double scale=*, Py_ssize_t one_hot=*,
        bint narrow=*,
    )
    cdef int _choose_kernel(self, int operation, int precision, Job* job) except -1
    cdef int _check_labels(self, ndarray y, int precision) except -1
    cdef const void* _table(self, int precision) except NULL
