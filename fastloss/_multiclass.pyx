"""The compiled base of softmax cross-entropy: layouts, labels, the loop over blocks, reductions."""

import numpy as np

from fastloss._sums import LossSums

cimport numpy as cnp
from cython.parallel cimport prange, threadid
from libc.math cimport NAN
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport free, malloc
from numpy cimport ndarray

from fastloss._runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

cdef enum:
    MAX_ROWS = 4096           # samples a block: their labels and weights are read ahead into L2
    BLOCK_ELEMENTS = 32768    # logits a block, about, where there is more than one sample
    ROWS_SIDE_BY_SIDE = 64    # at least, where samples are lanes
    SHORT_AXIS = 64           # a shorter last axis is not worth being the inner one

# What takes part in an evaluation. The first four have a class axis.
cdef enum:
    RAW
    TARGET
    GRADIENT
    HESSIAN
    LABEL
    WEIGHT
    LOSS
    N_ARRAYS

cdef str _SHAPES = (
    "expected integer labels of raw_prediction's shape without the class axis, or "
    "probabilities of raw_prediction's shape"
)


# One array: how to reach it from a flat sample index. Its axes are those of the samples, the same
# for all arrays, and for the first four the class axis last.
cdef struct Operand:
    int present
    int direct            # native and aligned: kernels reach it by strides
    Py_ssize_t itemsize
    Py_ssize_t class_stride  # in bytes
    FlArray array


cdef struct Job:
    FlCrossEntropyFn function
    int precision
    int stream
    int wants
    int sums_targets      # soft labels: to be checked
    Py_ssize_t n_samples, n_classes, rows
    Py_ssize_t inner      # length of the last sample axis: a run with one stride
    int n_axes
    double scale, label_smoothing, class_weight_sum
    const void* class_weight
    int has_ignore
    int64_t ignore_index
    size_t scratch_bytes
    char* scratch         # per thread
    Operand operands[7]


# Where a thread's memory begins; all 64-aligned.
cdef struct Buffers:
    char* kernel
    int64_t* labels
    char* weight
    char* loss
    char* staged[4]


cdef inline size_t _rounded(size_t n_bytes) noexcept nogil:
    return (n_bytes + 63) // 64 * 64


cdef size_t _divide_scratch(const Job* job, char* base, Buffers* out) noexcept nogil:
    """Places the buffers one behind the other; returns how much they need."""
    cdef size_t item = 8 if job.precision == FL_F64 else 4
    cdef size_t at = 0, row_bytes = _rounded(job.rows * item)
    cdef int i
    out.kernel = base
    at += _rounded(fl_cross_entropy_scratch_bytes(job.n_classes))
    out.labels = <int64_t*>(base + at)
    at += _rounded(job.rows * sizeof(int64_t))
    out.weight = base + at
    at += row_bytes
    out.loss = base + at
    at += row_bytes
    for i in range(4):
        out.staged[i] = base + at
        if job.operands[i].present and not job.operands[i].direct:
            at += _rounded(job.rows * job.n_classes * item)
    return at


cdef int _read_labels(
    const Job* job, Py_ssize_t start, Py_ssize_t n, int64_t* labels
) noexcept nogil:
    """Labels of a block, -1 where ignored; 1 if one is invalid (and then ignored)."""
    kernels().read_labels(&job.operands[LABEL].array, start, n, labels)
    return kernels().check_labels(labels, n, job.n_classes, job.has_ignore, job.ignore_index)


cdef inline void _place(
    const Job* job, int which, const Buffers* buffers, Py_ssize_t block_start, Py_ssize_t start,
    const void** data, Py_ssize_t* sample_stride, Py_ssize_t* class_stride
) noexcept nogil:
    """Where the sample `start` of an operand stands, and its strides in elements."""
    cdef const Operand* operand = &job.operands[which]
    cdef Py_ssize_t item = 8 if job.precision == FL_F64 else 4
    cdef Py_ssize_t index = start
    cdef char* p
    cdef int axis
    if not operand.direct:
        data[0] = buffers.staged[which] + (start - block_start) * job.n_classes * item
        sample_stride[0] = job.n_classes
        class_stride[0] = 1
        return
    p = operand.array.data
    for axis in range(job.n_axes - 1, -1, -1):
        p += index % operand.array.shape[axis] * operand.array.strides[axis]
        index //= operand.array.shape[axis]
    data[0] = p
    sample_stride[0] = operand.array.strides[job.n_axes - 1] // item
    class_stride[0] = operand.class_stride // item


cdef int _targets_valid(const Job* job, const FlCrossEntropyBlock* block) noexcept nogil:
    """Whether the soft labels of a run are finite and not negative; they are in cache anyway."""
    cdef double sums[FL_SUM_LANES]
    cdef Py_ssize_t i, item = 8 if job.precision == FL_F64 else 4
    cdef const char* p = <const char*>block.targets
    cdef FlSumWeightsFn check = kernels().sum_weights[job.precision]
    cdef int valid = 1
    for i in range(FL_SUM_LANES):
        sums[i] = 0.0
    if block.target_class_stride == 1:
        for i in range(block.n_samples):
            valid &= check(p + i * block.target_sample_stride * item, block.n_classes, sums)
    else:  # samples side by side: anything else has been staged
        for i in range(block.n_classes):
            valid &= check(p + i * block.target_class_stride * item, block.n_samples, sums)
    return valid


cdef int _run_block(
    const Job* job, Py_ssize_t start, char* scratch, double* partial
) noexcept nogil:
    """One block of samples; its summed loss goes to partial. 1 if a label in it is invalid."""
    cdef FlCrossEntropyBlock block
    cdef Buffers buffers
    cdef Py_ssize_t n = min(job.rows, job.n_samples - start), at = start, end = start + n
    cdef Py_ssize_t item = 8 if job.precision == FL_F64 else 4
    cdef Py_ssize_t offset, unused
    cdef int invalid = 0, i
    cdef const void* place
    _divide_scratch(job, scratch, &buffers)
    partial[0] = 0.0
    block.n_classes = job.n_classes
    block.class_weight = job.class_weight
    block.class_weight_sum = job.class_weight_sum
    block.label_smoothing = job.label_smoothing
    block.scale = job.scale
    block.wants = job.wants
    block.stream = job.stream
    block.scratch = buffers.kernel
    block.loss_sum = 0.0
    block.labels = NULL
    block.targets = NULL
    block.sample_weight = NULL
    block.loss = NULL
    block.gradient = NULL
    block.hessian = NULL
    if job.operands[LABEL].present:
        invalid = _read_labels(job, start, n, buffers.labels)
    if job.operands[WEIGHT].present:
        kernels().read[job.precision](&job.operands[WEIGHT].array, start, n, buffers.weight)
    for i in range(TARGET + 1):
        if job.operands[i].present and not job.operands[i].direct:
            kernels().read[job.precision](
                &job.operands[i].array, start * job.n_classes, n * job.n_classes,
                buffers.staged[i],
            )
    while at < end:
        offset = at - start
        # a run: samples that one stride leads through
        block.n_samples = min(end - at, job.inner - at % job.inner)
        _place(
            job, RAW, &buffers, start, at, &block.raw_prediction, &block.sample_stride,
            &block.class_stride,
        )
        if job.operands[LABEL].present:
            block.labels = buffers.labels + offset
        elif job.operands[TARGET].present:
            _place(
                job, TARGET, &buffers, start, at, &block.targets, &block.target_sample_stride,
                &block.target_class_stride,
            )
            invalid |= not _targets_valid(job, &block)
        if job.operands[WEIGHT].present:
            block.sample_weight = buffers.weight + offset * item
        if job.operands[LOSS].present:
            block.loss = buffers.loss + offset * item
        if job.operands[GRADIENT].present:
            _place(
                job, GRADIENT, &buffers, start, at, &place, &block.gradient_sample_stride,
                &block.gradient_class_stride,
            )
            block.gradient = <void*>place
        if job.operands[HESSIAN].present:
            _place(
                job, HESSIAN, &buffers, start, at, &place, &block.hessian_sample_stride,
                &block.hessian_class_stride,
            )
            block.hessian = <void*>place
        job.function(&block)
        if job.wants & FL_WANT_LOSS:
            partial[0] += block.loss_sum
        at += block.n_samples
    if job.operands[LOSS].present:
        kernels().write[job.precision](&job.operands[LOSS].array, start, n, buffers.loss)
    for i in range(GRADIENT, HESSIAN + 1):
        if job.operands[i].present and not job.operands[i].direct:
            kernels().write[job.precision](
                &job.operands[i].array, start * job.n_classes, n * job.n_classes,
                buffers.staged[i],
            )
    return invalid


cdef int _run_blocks(const Job* job, double* partials, int threads) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += _run_block(
                job, b * job.rows, job.scratch + threadid() * job.scratch_bytes, &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += _run_block(job, b * job.rows, job.scratch, &partials[b])
    return invalid


cdef int _weigh_block(
    const Job* job, Py_ssize_t start, char* scratch, double* partial
) noexcept nogil:
    """The weight of a block's samples that are not ignored: sample weight times class weight."""
    cdef Buffers buffers
    cdef Py_ssize_t i, n = min(job.rows, job.n_samples - start)
    cdef int invalid = 0
    cdef double weight, total = 0.0
    _divide_scratch(job, scratch, &buffers)
    invalid = _read_labels(job, start, n, buffers.labels)
    if job.operands[WEIGHT].present:
        kernels().read[job.precision](&job.operands[WEIGHT].array, start, n, buffers.weight)
    for i in range(n):
        if buffers.labels[i] < 0:
            continue
        weight = 1.0
        if job.operands[WEIGHT].present:
            if job.precision == FL_F64:
                weight = (<double*>buffers.weight)[i]
            else:
                weight = (<float*>buffers.weight)[i]
        if job.class_weight != NULL:
            if job.precision == FL_F64:
                weight = weight * (<const double*>job.class_weight)[buffers.labels[i]]
            else:
                weight = weight * (<const float*>job.class_weight)[buffers.labels[i]]
        total += weight
    partial[0] = total
    return invalid


cdef int _weigh_blocks(const Job* job, double* partials, int threads) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += _weigh_block(
                job, b * job.rows, job.scratch + threadid() * job.scratch_bytes, &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += _weigh_block(job, b * job.rows, job.scratch, &partials[b])
    return invalid


cdef int _class_axis(ndarray f, object axis) except -1:
    cdef int ndim = cnp.PyArray_NDIM(f)
    if isinstance(axis, (bool, np.bool_)) or not hasattr(axis, "__index__"):
        raise TypeError(f"axis = {axis!r}: expected an integer")
    position = axis.__index__()
    if ndim == 0:
        raise ValueError("raw_prediction has no axis: expected a class axis at least")
    if not -ndim <= position < ndim:
        raise ValueError(
            f"axis = {position}: raw_prediction has {ndim} axes, expected one of {-ndim} to "
            f"{ndim - 1}"
        )
    if (<object>f).shape[position] == 0:
        raise ValueError(
            f"raw_prediction has shape {(<object>f).shape}: expected at least one class along axis "
            f"{position}"
        )
    return position % ndim


cdef int _operand(
    Job* job, int which, ndarray array, str argument, int class_axis
) except -1:
    """Describes an array; its axes are joined later, with those of all others."""
    cdef Operand* operand = &job.operands[which]
    cdef FlArray* out = &operand.array
    cdef int axis, n = 0
    describe(array, argument, job.precision, out)
    operand.present = True
    operand.itemsize = out.itemsize
    operand.direct = (
        out.dtype == (FL_DTYPE_FLOAT64 if job.precision == FL_F64 else FL_DTYPE_FLOAT32)
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


cdef void _drop_axis(Job* job, int axis) noexcept:
    cdef int i, k
    for i in range(N_ARRAYS):
        if job.operands[i].present:
            for k in range(axis, job.n_axes - 1):
                job.operands[i].array.shape[k] = job.operands[i].array.shape[k + 1]
                job.operands[i].array.strides[k] = job.operands[i].array.strides[k + 1]
    job.n_axes -= 1


cdef bint _can_join(const Job* job, int axis) noexcept:
    """Whether axes `axis` and `axis + 1` are one axis in every array."""
    cdef int i
    cdef const FlArray* a
    for i in range(N_ARRAYS):
        if job.operands[i].present:
            a = &job.operands[i].array
            if a.strides[axis] != a.shape[axis + 1] * a.strides[axis + 1]:
                return False
    return True


cdef void _arrange_axes(Job* job, int n_axes) noexcept:
    """
    Joins sample axes where all arrays allow it and makes a long one the last.

    The order of the samples may change by it, for all arrays alike.
    """
    cdef int axis, i, longest
    cdef Py_ssize_t length
    cdef FlArray* a
    job.n_axes = n_axes
    axis = 0
    while axis < job.n_axes:  # axes of length 1 only stand in the way
        if job.operands[RAW].array.shape[axis] == 1 and job.n_axes > 1:
            _drop_axis(job, axis)
        else:
            axis += 1
    axis = 0
    while axis < job.n_axes - 1:
        if _can_join(job, axis):
            for i in range(N_ARRAYS):
                if job.operands[i].present:
                    a = &job.operands[i].array
                    a.shape[axis + 1] *= a.shape[axis]
            _drop_axis(job, axis)
        else:
            axis += 1
    if job.n_axes == 0:  # one sample
        for i in range(N_ARRAYS):
            job.operands[i].array.shape[0] = 1
            job.operands[i].array.strides[0] = job.operands[i].itemsize
        job.n_axes = 1
    length = job.operands[RAW].array.shape[job.n_axes - 1]
    longest = job.n_axes - 1
    if length < SHORT_AXIS:
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
    # soft labels are checked by runs of one stride: other layouts are staged
    if (
        job.operands[TARGET].present and job.operands[TARGET].direct
        and job.operands[TARGET].class_stride != job.operands[TARGET].itemsize
        and job.operands[TARGET].array.strides[job.n_axes - 1] != job.operands[TARGET].itemsize
    ):
        job.operands[TARGET].direct = False


cdef int _allocate(Job* job, int threads) except -1:
    """Rows a block, and every thread's scratch memory."""
    cdef Buffers unused
    cdef Py_ssize_t rows = BLOCK_ELEMENTS // job.n_classes
    cdef Py_ssize_t item = job.operands[RAW].itemsize
    if rows > 64:
        rows -= rows % 64
    if job.operands[RAW].class_stride != item or not job.operands[RAW].direct:
        rows = max(rows, <Py_ssize_t>ROWS_SIDE_BY_SIDE)
    job.rows = min(max(rows, <Py_ssize_t>1), <Py_ssize_t>MAX_ROWS)
    job.rows = min(job.rows, max(job.n_samples, <Py_ssize_t>1))
    job.scratch_bytes = _divide_scratch(job, NULL, &unused) + 128
    job.scratch = <char*>malloc(threads * job.scratch_bytes + 64)
    if job.scratch == NULL:
        raise MemoryError
    return 0


cdef double _blocks_summed(Job* job, bint weigh, int threads, int* invalid) except? -1.0:
    """Runs all blocks and returns the sum of their partial sums, in a fixed order."""
    cdef Py_ssize_t n_blocks = (job.n_samples + job.rows - 1) // job.rows
    cdef char* allocated = job.scratch
    cdef double total
    cdef double* partials = <double*>malloc(max(n_blocks, <Py_ssize_t>1) * sizeof(double))
    if partials == NULL:
        raise MemoryError
    job.scratch = <char*>((<uintptr_t>allocated + 63) // 64 * 64)
    job.scratch_bytes = job.scratch_bytes // 64 * 64
    with nogil:
        if weigh:
            invalid[0] = _weigh_blocks(job, partials, threads)
        else:
            invalid[0] = _run_blocks(job, partials, threads)
    job.scratch = allocated
    total = fl_sum_pairwise(partials, n_blocks)
    free(partials)
    return total


cdef class SoftmaxLoss:
    """
    Base of the losses on softmax probabilities; not for use by itself.

    `CrossEntropy` hands over its parameters; everything else is here.
    """

    cdef dict _params
    cdef object _class_weight      # float64 array or None
    cdef object _narrow_weight     # the same in float32
    cdef object _ignore_index
    cdef double _label_smoothing
    cdef bint _ready

    name = ""

    def __init__(self, params=(), class_weight=None, label_smoothing=0.0, ignore_index=None):
        if not type(self).name:
            raise TypeError(f"{type(self).__name__} is a base class: expected a loss built on it")
        self._params = dict(params)
        self._class_weight = class_weight
        self._narrow_weight = None if class_weight is None else class_weight.astype(np.float32)
        self._label_smoothing = label_smoothing
        self._ignore_index = ignore_index
        self._ready = True

    # ------------------------------------------------------------ identity

    @property
    def params(self):
        """The parameters by name, as a new dict."""
        return dict(self._params or ())

    def __repr__(self):
        inside = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"{type(self).__name__}({inside})"

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return self.params == other.params

    def __hash__(self):
        return hash((type(self), tuple(self.params.items())))

    def __reduce__(self):
        return _rebuild, (type(self), self.params)

    # ------------------------------------------------------------ evaluation

    def __call__(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """Return the loss; the same as `loss`."""
        return self._evaluate(
            FL_WANT_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def loss(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return the loss.

        Parameters
        ----------
        y_true : array-like
            Class labels 0 to C - 1 (any integer type, or floats of integral value) of
            raw_prediction's shape without the class axis; or soft labels, finite and not negative,
            of raw_prediction's shape.
        raw_prediction : array-like of float32 or float64
            Logits, of any shape with a class axis. Its dtype is the one computed in.
        sample_weight : array-like, optional
            Finite weights of at least 0, of raw_prediction's shape without the class axis.
        reduction : {"mean", "sum", "none"}
            "mean" divides by the sum of the weights: of sample_weight times the label's class
            weight over all samples that are not ignored, as torch; for soft labels of sample_weight.
        out : ndarray, optional
            With reduction "none": where the losses go.
        n_threads : int, optional
            Threads for this call; see `fastloss.set_num_threads`. The result does not depend on it.
        axis : int
            The class axis of raw_prediction; 1 for images of shape (N, C, H, W).

        Returns
        -------
        float or ndarray
            A float, or with reduction "none" an array of raw_prediction's shape without the class
            axis and its dtype.

        Raises
        ------
        TypeError, ValueError
            If an argument has a wrong dtype or shape, a label is not a class, or a weight is
            negative or not finite; the message names argument, index and value.
        """
        return self._evaluate(
            FL_WANT_LOSS, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return the gradient with respect to raw_prediction of what `loss` returns.

        Parameters are those of `loss`; `out` is for the gradient under every reduction.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        return self._evaluate(
            FL_WANT_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out, n_threads, axis
        )[0]

    def loss_gradient(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return loss and gradient from one pass.

        Parameters are those of `loss`; `out` is a pair (loss, gradient), None for a part that is to
        be allocated or, under "mean" and "sum", for the loss.

        Returns
        -------
        tuple of (float or ndarray, ndarray)
            Loss and gradient.
        """
        return self._evaluate(
            FL_WANT_LOSS | FL_WANT_GRADIENT, y_true, raw_prediction, sample_weight, reduction, out,
            n_threads, axis,
        )

    def gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return gradient and Hessian diagonal from one pass.

        Parameters are those of `loss`; `out` is a pair (gradient, hessian).

        Returns
        -------
        tuple of (ndarray, ndarray)
            Gradient and the diagonal of each sample's Hessian, both of raw_prediction's shape.
        """
        return self._evaluate(
            FL_WANT_GRADIENT | FL_WANT_HESSIAN, y_true, raw_prediction, sample_weight, reduction,
            out, n_threads, axis,
        )

    def loss_gradient_hessian(
        self, y_true, raw_prediction, sample_weight=None, *, reduction="mean", out=None,
        n_threads=None, axis=-1,
    ):
        """
        Return loss, gradient and Hessian diagonal from one pass.

        Parameters are those of `loss`; `out` is a triple (loss, gradient, hessian).

        Returns
        -------
        tuple of (float or ndarray, ndarray, ndarray)
            Loss, gradient and Hessian.
        """
        return self._evaluate(
            FL_WANT_LOSS | FL_WANT_GRADIENT | FL_WANT_HESSIAN, y_true, raw_prediction,
            sample_weight, reduction, out, n_threads, axis,
        )

    def partial(self, y_true, raw_prediction, sample_weight=None, *, n_threads=None, axis=-1):
        """
        Return the sums of a part of the data, to be merged with those of other parts.

        Parameters are those of `loss`.

        Returns
        -------
        LossSums
            With ``loss_sum``, ``weight_sum`` (what "mean" divides by) and ``n_samples``, ignored ones
            included; ``a + b`` merges.
        """
        sums = []
        f = as_prediction(raw_prediction, "raw_prediction")
        loss_sum = self._evaluate(
            FL_WANT_LOSS, y_true, f, sample_weight, "sum", None, n_threads, axis, sums
        )[0]
        n_samples = cnp.PyArray_SIZE(<ndarray>f) // cnp.PyArray_DIM(<ndarray>f, _class_axis(f, axis))
        return LossSums(loss_sum, sums[0], n_samples)

    cdef tuple _evaluate(
        self, int wants, object y_true, object raw_prediction, object sample_weight,
        object reduction, object out, object n_threads, object axis, list sums=None,
    ):
        cdef Job job
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction")
        cdef ndarray y = as_values(y_true, "y_true")
        cdef ndarray w = None, sample_shape
        cdef ndarray loss = None, gradient = None, hessian = None
        cdef int mode = reduction_code(reduction), class_axis, invalid = 0, threads, i
        cdef int n_wanted = (
            (1 if wants & FL_WANT_LOSS else 0) + (1 if wants & FL_WANT_GRADIENT else 0)
            + (1 if wants & FL_WANT_HESSIAN else 0)
        )
        cdef bint hard, in_place = False
        cdef double weight_sum, loss_sum, value
        if not self._ready:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        job.precision = precision_of(f, "raw_prediction")
        class_axis = _class_axis(f, axis)
        job.n_classes = cnp.PyArray_DIM(f, class_axis)
        job.n_samples = cnp.PyArray_SIZE(f) // job.n_classes
        shape = (<object>f).shape[:class_axis] + (<object>f).shape[class_axis + 1:]
        hard = (<object>y).shape == shape
        if not hard and not same_shape(y, f):
            raise ValueError(
                f"y_true has shape {(<object>y).shape}, raw_prediction has shape "
                f"{(<object>f).shape} with its class axis {class_axis}: {_SHAPES}"
            )
        if not hard and self._ignore_index is not None:
            raise ValueError(
                f"ignore_index = {self._ignore_index}: needs class labels, y_true has the shape of "
                "soft labels"
            )
        threads = thread_count(n_threads, cnp.PyArray_SIZE(f))
        for i in range(N_ARRAYS):
            job.operands[i].present = False
        self._fill_parameters(&job)

        # ---- inputs and outputs: all checked before anything is written
        _operand(&job, LABEL if hard else TARGET, y, "y_true", -1 if hard else class_axis)
        if sample_weight is not None:
            w = as_values(sample_weight, "sample_weight")
            if (<object>w).shape != shape:
                raise ValueError(
                    f"sample_weight has shape {(<object>w).shape}: expected {shape}, "
                    "raw_prediction's without the class axis"
                )
            _operand(&job, WEIGHT, w, "sample_weight", -1)
        loss_out, gradient_out, hessian_out = _split_out(out, wants, n_wanted)
        sample_shape = <ndarray>np.broadcast_to(np.empty((), f.dtype.newbyteorder("=")), shape)
        if loss_out is not None:
            if mode != REDUCTION_NONE:
                raise ValueError(
                    f"out: the loss is a float under reduction={reduction!r}, so its place in out "
                    "must be None"
                )
            loss = checked_out(loss_out, "out (loss)", sample_shape, "the samples")
            refuse_overlap(loss, "out (loss)", f, "raw_prediction")
            refuse_overlap(loss, "out (loss)", y, "y_true")
            refuse_overlap(loss, "out (loss)", w, "sample_weight")
        if gradient_out is not None:
            gradient = checked_out(gradient_out, "out (gradient)", f, "raw_prediction")
            refuse_overlap(gradient, "out (gradient)", y, "y_true")
            refuse_overlap(gradient, "out (gradient)", w, "sample_weight")
            refuse_overlap(gradient, "out (gradient)", loss, "out (loss)")
        if hessian_out is not None:
            hessian = checked_out(hessian_out, "out (hessian)", f, "raw_prediction")
            refuse_overlap(hessian, "out (hessian)", y, "y_true")
            refuse_overlap(hessian, "out (hessian)", w, "sample_weight")
            refuse_overlap(hessian, "out (hessian)", loss, "out (loss)")
            refuse_overlap(hessian, "out (hessian)", gradient, "out (gradient)")
        for array in (gradient, hessian):
            if array is not None and overlaps(array, f):
                in_place = True
                if not same_memory(array, f):
                    # shifted against the input: it would be overwritten before it is read
                    f = (<object>f).copy(order="K")
        if w is not None:
            weight_sum = sum_weights(w, "sample_weight", job.precision, n_threads)
        else:
            weight_sum = <double>job.n_samples
        if wants & FL_WANT_LOSS and mode == REDUCTION_NONE and loss is None:
            loss = np.empty(shape, f.dtype.newbyteorder("="))
        if wants & FL_WANT_GRADIENT and gradient is None:
            gradient = _new_in_layout(f)
        if wants & FL_WANT_HESSIAN and hessian is None:
            hessian = _new_in_layout(f)

        _operand(&job, RAW, f, "raw_prediction", class_axis)
        if loss is not None:
            _operand(&job, LOSS, loss, "out", -1)
        if gradient is not None:
            _operand(&job, GRADIENT, gradient, "out", class_axis)
        if hessian is not None:
            _operand(&job, HESSIAN, hessian, "out", class_axis)
        _arrange_axes(&job, cnp.PyArray_NDIM(f) - 1)
        _allocate(&job, threads)
        try:
            # ---- what the mean divides by, and any label in doubt while the input still stands
            if hard and (self._class_weight is not None or self._ignore_index is not None):
                weight_sum = _blocks_summed(&job, True, threads, &invalid)
                if invalid:
                    self._refuse_labels(y, job.n_classes, hard, job.precision)
            elif in_place:
                self._refuse_labels(y, job.n_classes, hard, job.precision)
            job.scale = 1.0
            if mode == REDUCTION_MEAN:
                job.scale = 1.0 / weight_sum if weight_sum > 0 else NAN
            job.wants = wants
            job.function = kernels().cross_entropy[job.precision]
            job.stream = beyond_cache(
                cnp.PyArray_NBYTES(f) * ((gradient is not None) + (hessian is not None))
            )
            loss_sum = _blocks_summed(&job, False, threads, &invalid)
        finally:
            free(job.scratch)
        if invalid:
            self._refuse_labels(y, job.n_classes, hard, job.precision)
        if mode == REDUCTION_MEAN and not weight_sum > 0:
            warn_empty(
                "an empty array" if job.n_samples == 0
                else "samples that are all ignored or whose weights sum to zero"
            )
        if sums is not None:
            sums.append(weight_sum)

        # ---- the result
        result = []
        if wants & FL_WANT_LOSS:
            if mode == REDUCTION_NONE:
                result.append(loss)
            else:
                value = loss_sum
                if mode == REDUCTION_MEAN:
                    value = loss_sum / weight_sum if weight_sum > 0 else NAN
                result.append(value)
        if gradient is not None:
            result.append(gradient)
        if hessian is not None:
            result.append(hessian)
        return tuple(result)

    cdef int _fill_parameters(self, Job* job) except -1:
        cdef ndarray weight
        job.label_smoothing = self._label_smoothing
        job.class_weight = NULL
        job.class_weight_sum = <double>job.n_classes
        job.has_ignore = self._ignore_index is not None
        job.ignore_index = self._ignore_index if job.has_ignore else 0
        if self._class_weight is not None:
            weight = self._class_weight if job.precision == FL_F64 else self._narrow_weight
            if cnp.PyArray_SIZE(weight) != job.n_classes:
                raise ValueError(
                    f"class_weight has {cnp.PyArray_SIZE(weight)} entries, raw_prediction has "
                    f"{job.n_classes} classes: they must be equal"
                )
            job.class_weight = cnp.PyArray_DATA(weight)
            job.class_weight_sum = weight.sum(dtype=np.float64)
        return 0

    cdef int _refuse_labels(
        self, ndarray y, Py_ssize_t n_classes, bint hard, int precision
    ) except -1:
        """An error for the first invalid label, if there is one."""
        cdef FlArray array
        cdef Py_ssize_t start = 0, m, i, n = cnp.PyArray_SIZE(y)
        cdef int64_t labels[1024]
        describe(y, "y_true", precision, &array)
        name = type(self).__name__
        if not hard:
            i = find_invalid(&array, precision, n, FL_LABELS_NONNEGATIVE)
            if i >= 0:
                raise ValueError(
                    f"{element('y_true', y, i)}: {name} expects soft labels that are finite and not "
                    "negative"
                )
            return 0
        while start < n:
            m = min(n - start, <Py_ssize_t>1024)
            kernels().read_labels(&array, start, m, labels)
            for i in range(m):
                if self._ignore_index is not None and labels[i] == <int64_t>self._ignore_index:
                    continue
                if labels[i] < 0 or labels[i] >= n_classes:
                    ignored = (
                        "" if self._ignore_index is None else f" or ignore_index {self._ignore_index}"
                    )
                    raise ValueError(
                        f"{element('y_true', y, start + i)}: {name} expects class labels 0 to "
                        f"{n_classes - 1}{ignored}"
                    )
            start += m
        return 0

    # ------------------------------------------------------------ link and start

    def predict(self, raw_prediction, *, out=None, n_threads=None, axis=-1):
        """
        Return class probabilities: the softmax of raw_prediction along the class axis.

        Parameters
        ----------
        raw_prediction : array-like of float32 or float64
            Logits, of any shape with a class axis.
        out : ndarray, optional
            Where the result goes, of raw_prediction's shape and dtype; may be raw_prediction itself.
        n_threads : int, optional
            See `loss`.
        axis : int
            The class axis.

        Returns
        -------
        ndarray
            Of raw_prediction's shape and dtype.
        """
        cdef Job job
        cdef ndarray f = as_prediction(raw_prediction, "raw_prediction"), target
        cdef int class_axis, threads, invalid = 0, i
        job.precision = precision_of(f, "raw_prediction")
        class_axis = _class_axis(f, axis)
        job.n_classes = cnp.PyArray_DIM(f, class_axis)
        job.n_samples = cnp.PyArray_SIZE(f) // job.n_classes
        threads = thread_count(n_threads, cnp.PyArray_SIZE(f))
        if out is None:
            target = _new_in_layout(f)
        else:
            target = checked_out(out, "out", f, "raw_prediction")
            if overlaps(target, f) and not same_memory(target, f):
                f = (<object>f).copy(order="K")
        for i in range(N_ARRAYS):
            job.operands[i].present = False
        _operand(&job, RAW, f, "raw_prediction", class_axis)
        _operand(&job, GRADIENT, target, "out", class_axis)
        _arrange_axes(&job, cnp.PyArray_NDIM(f) - 1)
        job.wants = FL_WANT_GRADIENT
        job.scale = 1.0
        job.label_smoothing = 0.0
        job.class_weight = NULL
        job.class_weight_sum = <double>job.n_classes
        job.has_ignore = False
        job.function = kernels().softmax[job.precision]
        job.stream = beyond_cache(cnp.PyArray_NBYTES(f))
        _allocate(&job, threads)
        try:
            _blocks_summed(&job, False, threads, &invalid)
        finally:
            free(job.scratch)
        return target


cdef ndarray _new_in_layout(ndarray f):
    """An uninitialised array with f's order of axes, in native byte order."""
    return np.empty_like(f, dtype=f.dtype.newbyteorder("="), order="K", subok=False)


cdef tuple _split_out(object out, int wants, int expected):
    """The three places of `out`, None where nothing was provided."""
    cdef bint want_loss = wants & FL_WANT_LOSS
    if out is None:
        return (None, None, None)
    if expected == 1:
        if isinstance(out, tuple):
            raise TypeError("out: expected one array, got a tuple")
        return (out, None, None) if want_loss else (None, out, None)
    if not isinstance(out, tuple):
        raise TypeError(f"out: expected a tuple of {expected}, got {type(out).__name__}")
    if len(out) != expected:
        raise ValueError(f"out has {len(out)} entries: expected {expected}")
    if expected == 3:
        return out
    return (out[0], out[1], None) if want_loss else (None, out[0], out[1])


def _rebuild(cls, params):
    """Unpickle a loss."""
    return cls(**params)
