# The kernel of a linear objective's loss, and where its labels and weights stand.
cimport numpy as cnp
from numpy cimport ndarray

from fastloss._linear_job cimport *
from fastloss._pointwise cimport PointwiseLoss
from fastloss._pointwise_job cimport describe_in_job
from fastloss._row_job cimport LABEL, TARGET, VALUE, WEIGHT
from fastloss._row_layout cimport arrange_axes, describe_operand
from fastloss._rows cimport RowLoss
from fastloss._arrays cimport *
from fastloss._runtime cimport *
from fastloss.kernels cimport *


cdef inline int describe_loss(
    LinearJob* job, object loss, ndarray y, ndarray weight
) except -1:
    """What the job's way wants of a loss, of labels and weights that are checked."""
    cdef RowLoss rows
    cdef PointwiseLoss pointwise
    cdef int which, operation = FL_LOSS
    cdef FlArray* array
    job.of_rows = isinstance(loss, RowLoss)
    if not job.of_rows:
        pointwise = loss
        if job.way == LINEAR_GRADIENT:
            operation = FL_LOSS_GRADIENT
        elif job.way != LINEAR_LOSS:
            operation = FL_GRADIENT_HESSIAN
        pointwise._choose_kernel(operation, job.precision, &job.pointwise)
        job.pointwise.contiguous = True
        describe_in_job(y, "y", job.precision, &job.pointwise, &job.pointwise.y_true)
        job.pointwise.has_weight = weight is not None
        if weight is not None:
            describe_in_job(
                weight, "sample_weight", job.precision, &job.pointwise,
                &job.pointwise.sample_weight,
            )
        for which in range(3):
            array = (
                &job.pointwise.raw_prediction if which == 0
                else &job.pointwise.gradient if which == 1 else &job.pointwise.hessian
            )
            array.contiguous = True
            array.itemsize = job.item
        job.pointwise.want_loss = operation == FL_LOSS or operation == FL_LOSS_GRADIENT
        job.pointwise.has_gradient = operation != FL_LOSS
        job.pointwise.has_hessian = operation == FL_GRADIENT_HESSIAN
        job.pointwise.scale = 1.0
        return 0
    rows = loss
    job.rows.precision = job.precision
    job.rows.n_samples = job.n_samples
    job.rows.n_classes = job.n_outputs
    job.rows.n_labels = job.n_outputs + rows._extra_classes
    job.rows.rows = job.block_rows
    hard = cnp.PyArray_NDIM(y) == 1
    rows._fill_parameters(&job.rows, hard)
    which = TARGET
    if hard:
        which = VALUE if rows._labels == FL_ROW_VALUE else LABEL
    describe_operand(&job.rows, which, y, "y", -1 if hard else 1)
    if weight is not None:
        describe_operand(&job.rows, WEIGHT, weight, "sample_weight", -1)
    job.rows.wants = FL_WANT_LOSS
    if job.way != LINEAR_LOSS:
        job.rows.wants |= FL_WANT_GRADIENT
    for which in (RAW, GRADIENT):
        array = &job.rows.operands[which].array
        job.rows.operands[which].present = which == RAW or job.way != LINEAR_LOSS
        job.rows.operands[which].direct = True
        job.rows.operands[which].itemsize = job.item
        array.shape[0] = job.n_samples
        array.strides[0] = job.item * (job.n_outputs if job.sparse else 1)
        job.rows.operands[which].class_stride = job.item * (
            1 if job.sparse else job.raw_stride
        )
    arrange_axes(&job.rows, 1)
    job.rows.scale = 1.0
    return 0
