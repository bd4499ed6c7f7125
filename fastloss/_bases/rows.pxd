# The compiled base of losses of several outputs a sample, for other drivers of its kernels.
from numpy cimport ndarray

from fastloss._bases.loss cimport Loss
from fastloss._bases.row_job cimport Job
from fastloss.kernels cimport *


cdef class RowLoss(Loss):
    cdef double _values[FL_ROW_MAX_PARAMS]
    cdef int _kernel               # a number of rows.def, or -1: softmax cross-entropy
    cdef int _soft_kernel          # the same for soft labels
    cdef bint _weighted_smoothing  # class weights are those of the classes, else that of the label
    cdef bint _weighted_mean       # the mean divides by the labels' class weights too
    cdef bint _zero_if_ignored     # the mean of nothing is 0, not NaN
    cdef int _labels               # LABELS_CLASS_OR_SOFT or FL_ROW_*
    cdef object _class_weight      # float64 array or None
    cdef bint _beyond_float32      # float32 arrays are computed by float64 kernels
    cdef object _narrow_weight     # _class_weight in float32
    cdef object _per_output        # (what they are called, their number, float64, float32) or None
    cdef object _ignore_index
    cdef double _label_smoothing
    cdef Py_ssize_t _n_outputs     # 0: any number
    cdef int _extra_classes        # how many classes more than outputs
    cdef int _link                 # FL_LINK_*, or LINK_SOFTMAX
    cdef bint _composite           # evaluated by _evaluate_composite, in Python
    cdef object _binary            # a binary loss on each output; only of a composite
    cdef bint _ready

    cdef tuple _evaluate(
        self, int wants, object y_true, object raw_prediction, object sample_weight,
        object reduction, object out, object n_threads, object axis, list sums=*,
        bint narrow=*,
    )
    cdef tuple _evaluate_binary(
        self, int wants, ndarray y, ndarray f, object sample_weight, int mode, object out,
        object n_threads, int class_axis,
    )
    cdef int _fill_parameters(self, Job* job, bint hard) except -1
    cdef int _check_outputs(self, Py_ssize_t n_outputs) except -1
    cdef str _shapes(self)
    cdef int _refuse_labels(
        self, ndarray y, int class_axis, Py_ssize_t n_classes, bint hard, int precision
    ) except -1
    cdef int _refuse_rows(
        self, ndarray y, int class_axis, Py_ssize_t n_classes, int precision
    ) except -1
