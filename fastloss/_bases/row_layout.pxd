# How the arrays of an evaluation are reached: the class axis taken out, sample axes joined.
cimport numpy as cnp
from numpy cimport ndarray

from fastloss._bases.row_job cimport *
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    MAX_ROWS = 4096           # samples a block: their labels and weights are read ahead into L2
    BLOCK_ELEMENTS = 32768    # logits a block, about, where there is more than one sample
    ROWS_SIDE_BY_SIDE = 64    # at least, where samples are lanes
    SHORT_AXIS = 64           # a shorter last axis is not worth being the inner one
    SHORT_RUN = 16            # unless its samples lie side by side: so long a run is worth staging


cdef inline int describe_operand(
    Job* job, int which, ndarray array, str argument, int class_axis
) except -1:
    """Describes an array; its axes are joined later, with those of all others."""
    cdef Operand* operand = &job.operands[which]
    cdef FlArray* out = &operand.array
    cdef int axis, n = 0, dtype
    describe(array, argument, job.precision, out)
    operand.present = True
    operand.by_class = False
    operand.itemsize = out.itemsize
    dtype = FL_DTYPE_FLOAT64 if job.precision == FL_F64 else FL_DTYPE_FLOAT32
    if which == LABEL:
        dtype = FL_DTYPE_INT32 if out.dtype == FL_DTYPE_INT32 else FL_DTYPE_INT64
    operand.direct = (
        out.dtype == dtype
        and not out.swapped
        and bool(PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_ALIGNED))
    )
    for axis in range(cnp.PyArray_NDIM(array)):
        if axis == class_axis:
            operand.class_stride = cnp.PyArray_STRIDE(array, axis)
            if operand.class_stride % out.itemsize:
                operand.direct = False
            continue
        out.shape[n] = cnp.PyArray_DIM(array, axis)
        out.strides[n] = cnp.PyArray_STRIDE(array, axis)
        if out.strides[n] % out.itemsize:
            operand.direct = False
        n += 1
    out.ndim = n
    return 0


cdef inline void drop_axis(Job* job, int axis) noexcept:
    cdef int i, k
    for i in range(N_ARRAYS):
        if job.operands[i].present:
            for k in range(axis, job.n_axes - 1):
                job.operands[i].array.shape[k] = job.operands[i].array.shape[k + 1]
                job.operands[i].array.strides[k] = job.operands[i].array.strides[k + 1]
    job.n_axes -= 1


cdef inline bint can_join(const Job* job, int axis) noexcept:
    """Whether axes `axis` and `axis + 1` are one axis in every array."""
    cdef int i
    cdef const FlArray* a
    for i in range(N_ARRAYS):
        if job.operands[i].present:
            a = &job.operands[i].array
            if a.strides[axis] != a.shape[axis + 1] * a.strides[axis + 1]:
                return False
    return True


cdef inline bint has_short_runs(const Job* job) noexcept:
    """Whether a class has its samples side by side, but few at a time: small images."""
    cdef const Operand* raw = &job.operands[RAW]
    cdef int last = job.n_axes - 1
    return (
        last > 0
        and job.n_classes * ROWS_SIDE_BY_SIDE <= BLOCK_ELEMENTS
        and SHORT_RUN <= raw.array.shape[last] < SHORT_AXIS
        and raw.array.strides[last] == raw.itemsize
        and abs(raw.class_stride) > raw.itemsize
    )


cdef inline void arrange_axes(Job* job, int n_axes) noexcept:
    """
    Joins sample axes where all arrays allow it and makes a long one the last.

    The order of the samples may change by it, for all arrays alike. Runs that are short are staged,
    class by class: there they are one.
    """
    cdef bint staged
    cdef int axis, i, longest
    cdef Py_ssize_t length
    cdef FlArray* a
    job.n_axes = n_axes
    axis = 0
    while axis < job.n_axes:  # axes of length 1 only stand in the way
        if job.operands[RAW].array.shape[axis] == 1 and job.n_axes > 1:
            drop_axis(job, axis)
        else:
            axis += 1
    axis = 0
    while axis < job.n_axes - 1:
        if can_join(job, axis):
            for i in range(N_ARRAYS):
                if job.operands[i].present:
                    a = &job.operands[i].array
                    a.shape[axis + 1] *= a.shape[axis]
            drop_axis(job, axis)
        else:
            axis += 1
    if job.n_axes == 0:  # one sample
        for i in range(N_ARRAYS):
            job.operands[i].array.shape[0] = 1
            job.operands[i].array.strides[0] = job.operands[i].itemsize
        job.n_axes = 1
    length = job.operands[RAW].array.shape[job.n_axes - 1]
    longest = job.n_axes - 1
    staged = has_short_runs(job)
    if length < SHORT_AXIS and not staged:
        for axis in range(job.n_axes - 1):
            if job.operands[RAW].array.shape[axis] > job.operands[RAW].array.shape[longest]:
                longest = axis
    if longest != job.n_axes - 1:
        axis = job.n_axes - 1
        for i in range(N_ARRAYS):
            if job.operands[i].present:
                a = &job.operands[i].array
                a.shape[longest], a.shape[axis] = a.shape[axis], a.shape[longest]
                a.strides[longest], a.strides[axis] = a.strides[axis], a.strides[longest]
    job.inner = job.operands[RAW].array.shape[job.n_axes - 1]
    for i in range(N_ARRAYS):
        if job.operands[i].present:
            a = &job.operands[i].array
            a.ndim = job.n_axes
            if i < LABEL:
                a.shape[a.ndim] = job.n_classes
                a.strides[a.ndim] = job.operands[i].class_stride
                a.ndim += 1
    for i in range(GRADIENT, HESSIAN + 1):
        if job.operands[i].present and not job.operands[i].direct:
            a = &job.operands[i].array
            job.operands[i].by_class = (
                abs(job.operands[i].class_stride) > abs(a.strides[job.n_axes - 1])
            )
    # also said where it is not so: the job of the call before may stand in the same place
    job.labels_unread = (
        not staged and job.takes_unread
        and job.operands[LABEL].present and job.operands[LABEL].direct
        and job.operands[LABEL].array.strides[job.n_axes - 1] == job.operands[LABEL].itemsize
        and not job.fold_class_weight
        and not (job.has_ignore and 0 <= job.ignore_index < job.n_labels)
    )
    if staged:
        job.inner = max(job.n_samples, <Py_ssize_t>1)
        for i in range(LABEL):
            job.operands[i].direct = False
            job.operands[i].by_class = True
        return
    # soft labels are checked by runs of one stride: other layouts are staged
    if (
        job.operands[TARGET].present and job.operands[TARGET].direct
        and job.operands[TARGET].class_stride != job.operands[TARGET].itemsize
        and job.operands[TARGET].array.strides[job.n_axes - 1] != job.operands[TARGET].itemsize
    ):
        job.operands[TARGET].direct = False
    for i in range(LABEL):  # rows that follow each other are read and written as one run
        if job.operands[i].present and not job.operands[i].direct and not job.operands[i].by_class:
            fl_array_merge_axes(&job.operands[i].array)
