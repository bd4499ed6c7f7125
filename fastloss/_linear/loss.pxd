# The kernel of a linear objective's loss, and where its labels and weights stand.
cimport numpy as cnp
from numpy cimport ndarray

from fastloss._linear.job cimport *
from fastloss._bases.pointwise cimport PointwiseLoss
from fastloss._bases.pointwise_job cimport Job as PointwiseJob
from fastloss._bases.pointwise_job cimport describe_in_job
from fastloss._bases.row_job cimport LABEL, TARGET, VALUE, WEIGHT
from fastloss._bases.row_layout cimport arrange_axes, describe_operand
from fastloss._bases.rows cimport RowLoss
from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *


cdef inline int describe_pointwise(
    LinearJob* job, PointwiseLoss loss, int operation, ndarray y, ndarray weight, PointwiseJob* out
) except -1:
    """A loss of one output a sample."""
    cdef int which
    cdef FlArray* array
    loss._choose_kernel(operation, job.precision, out)
    out.contiguous = True
    describe_in_job(y, "y", job.precision, out, &out.y_true)
    out.has_weight = weight is not None
    if weight is not None:
        describe_in_job(weight, "sample_weight", job.precision, out, &out.sample_weight)
    for which in range(3):
        array = (
            &out.raw_prediction if which == 0 else &out.gradient if which == 1 else &out.hessian
        )
        array.contiguous = True
        array.itemsize = job.item
    out.want_loss = operation == FL_LOSS or operation == FL_LOSS_GRADIENT
    out.has_gradient = operation != FL_LOSS
    out.has_hessian = operation == FL_GRADIENT_HESSIAN
    out.scale = 1.0
    out.stream = False
    return 0


cdef inline int describe_each(
    LinearJob* job, object binary, int operation, ndarray y, ndarray weight
) except -1:
    """A loss of each output: of dense X output by output; of sparse X as of an array, with weights."""
    cdef ndarray labels = y
    job.each_output = True
    job.by_class = cnp.PyArray_NDIM(y) == 1
    if not (job.sparse or job.by_class):
        labels = (<object>y)[:, 0]
        job.label_stride = cnp.PyArray_STRIDE(y, 1)
    describe_pointwise(job, binary, operation, labels, weight, &job.pointwise)
    if job.by_class and job.sparse:
        job.pointwise.one_hot = job.n_outputs
        job.pointwise.contiguous = False
    elif job.by_class:
        # labels are made in a buffer
        job.pointwise.contiguous = weight is None or job.pointwise.sample_weight.contiguous
    return 0


cdef inline int describe_loss(
    LinearJob* job, object loss, object beside, ndarray y, ndarray weight
) except -1:
    """What the job's way wants of a loss, of labels and weights that are checked."""
    cdef RowLoss rows
    cdef int which, operation = FL_LOSS
    cdef FlArray* array
    if job.way == LINEAR_GRADIENT:
        operation = FL_LOSS_GRADIENT
    elif job.way != LINEAR_LOSS:
        operation = FL_GRADIENT_HESSIAN
    if isinstance(loss, PointwiseLoss):
        describe_pointwise(job, loss, operation, y, weight, &job.pointwise)
        if beside is not None:
            job.has_beside = True
            operation = FL_GRADIENT if job.way == LINEAR_GRAM else FL_LOSS
            describe_pointwise(job, beside, operation, y, weight, &job.beside)
        return 0
    if (<RowLoss>loss)._composite:
        return describe_each(job, loss.base_loss, operation, y, weight)
    job.of_rows = True
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
