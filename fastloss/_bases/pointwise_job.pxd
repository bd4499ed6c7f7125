# One evaluation of a pointwise loss, described for the loops that run without the GIL, and one block
# of it: in the arrays themselves, or in pieces that are converted on the stack.
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    # Samples that a foreign layout is converted in at a time: six float64 buffers of it fit L2.
    PIECE = 1024
    # Labels made at a time where all else is used as it is, or as many bytes of float32: a kernel that
    # stores past the cache waits at its end.
    LABEL_PIECE = 4096
    FEW_LABELS = 256

# Everything one evaluation needs, for the loops that run without the GIL.
cdef struct Job:
    FlPointwiseFn function
    const double* params
    const void* table
    double scale
    int precision
    int stream
    Py_ssize_t one_hot       # if not 0: y_true holds classes of so many outputs, 1 at that and else 0
    int contiguous           # all arrays are: the kernels read and write the memory itself
    int want_loss            # at least its sum
    int has_weight
    int has_loss             # the loss is stored, not only summed
    int has_gradient
    int has_hessian
    FlArray y_true
    FlArray raw_prediction
    FlArray sample_weight
    FlArray loss
    FlArray gradient
    FlArray hessian


cdef inline bint needs_labels_only(const Job* job) noexcept nogil:
    """Whether labels are made or converted, and all else can be used as it is."""
    return (
        (job.one_hot != 0 or not job.y_true.contiguous)
        and job.raw_prediction.contiguous
        and (not job.has_weight or job.sample_weight.contiguous)
        and (not job.has_loss or job.loss.contiguous)
        and (not job.has_gradient or job.gradient.contiguous)
        and (not job.has_hessian or job.hessian.contiguous)
    )


cdef inline int run_block(
    const Job* job, Py_ssize_t start, Py_ssize_t n, Py_ssize_t following, double* partial
) noexcept nogil:
    """One block; its summed loss goes to partial. 1 if a label in it is invalid."""
    cdef FlPointwiseBlock block
    cdef Py_ssize_t offset = start * (8 if job.precision == FL_F64 else 4)
    block.fresh = True
    block.params = job.params
    block.table = job.table
    block.scale = job.scale
    block.invalid = 0
    block.sample_weight = NULL
    block.loss = NULL
    block.gradient = NULL
    block.hessian = NULL
    block.following = following if job.contiguous else 0
    if job.contiguous:
        block.stream = job.stream
        block.y_true = job.y_true.data + offset
        block.raw_prediction = job.raw_prediction.data + offset
        if job.has_weight:
            block.sample_weight = job.sample_weight.data + offset
        if job.has_loss:
            block.loss = job.loss.data + offset
        if job.has_gradient:
            block.gradient = job.gradient.data + offset
        if job.has_hessian:
            block.hessian = job.hessian.data + offset
        job.function(&block, n)
    elif needs_labels_only(job):
        run_with_labels(job, &block, start, n, following)
    else:
        block.stream = 0
        run_in_pieces(job, &block, start, n)
    partial[0] = kernels().fold_sums(block.sums) if job.want_loss else 0.0
    return block.invalid


cdef inline const void* piece_of(
    const FlArray* array, int precision, Py_ssize_t start, Py_ssize_t n, void* buffer
) noexcept nogil:
    """Where n samples stand as REALs: in the array itself, or converted in the buffer."""
    if array.contiguous:
        return array.data + start * array.itemsize
    kernels().read[precision](array, start, n, buffer)
    return buffer


cdef inline void* place_of(const FlArray* array, Py_ssize_t start, void* buffer) noexcept nogil:
    return array.data + start * array.itemsize if array.contiguous else buffer


cdef inline void put_piece(
    const FlArray* array, int precision, Py_ssize_t start, Py_ssize_t n, const void* buffer
) noexcept nogil:
    if not array.contiguous:
        kernels().write[precision](array, start, n, buffer)


cdef inline const int64_t* plain_labels(const FlArray* array, Py_ssize_t start) noexcept nogil:
    """The classes from `start` on, if they stand in memory as kernels want them, else NULL."""
    if (
        array.dtype != FL_DTYPE_INT64 or array.swapped or array.ndim != 1
        or array.strides[0] != sizeof(int64_t) or <size_t>array.data % sizeof(int64_t) != 0
    ):
        return NULL
    return <const int64_t*>array.data + start


ctypedef fused Real:
    float
    double


cdef inline int put_ones(
    Real* rows, const int64_t* labels, Py_ssize_t n, Py_ssize_t n_outputs
) noexcept nogil:
    """1 at the label of each row; 1 if one is no class: in its row anything may stand."""
    cdef Py_ssize_t r
    cdef int64_t label, last = n_outputs - 1
    cdef uint64_t outside = 0
    for r in range(n):
        label = labels[r]
        # the sign: of a label, or of its distance from the last one
        outside |= <uint64_t>label | (<uint64_t>last - <uint64_t>label)
        rows[max(<int64_t>0, min(label, last))] = 1
        rows += n_outputs
    return outside >> 63 != 0


cdef inline int fill_one_hot(
    const Job* job, Py_ssize_t start, Py_ssize_t n, void* buffer
) noexcept nogil:
    """Labels 0 and 1 of the samples from `start` on, n of them; 1 if a class is none."""
    cdef int64_t few[FEW_LABELS]
    cdef const int64_t* labels
    cdef Py_ssize_t row = start // job.one_hot, end = (start + n - 1) // job.one_hot + 1
    cdef Py_ssize_t r, m, whole, place, at = row * job.one_hot - start
    cdef int64_t label
    cdef int invalid = 0
    memset(buffer, 0, n * (8 if job.precision == FL_F64 else 4))
    while row < end:
        m = min(end - row, <Py_ssize_t>FEW_LABELS)
        labels = plain_labels(&job.y_true, row)
        if labels == NULL:
            labels = few
            kernels().read_labels(&job.y_true, row, m, few)
        r = 0
        while r < m:
            if at >= 0 and at + job.one_hot <= n:  # no row is cut
                whole = min(m - r, (n - at) // job.one_hot)
                if job.precision == FL_F64:
                    invalid |= put_ones(<double*>buffer + at, labels + r, whole, job.one_hot)
                else:
                    invalid |= put_ones(<float*>buffer + at, labels + r, whole, job.one_hot)
                r += whole
                at += whole * job.one_hot
                continue
            label = labels[r]
            place = at + label
            if <uint64_t>label >= <uint64_t>job.one_hot:
                invalid = 1
            elif <size_t>place < <size_t>n:  # else it belongs to the piece before or behind
                if job.precision == FL_F64:
                    (<double*>buffer)[place] = 1.0
                else:
                    (<float*>buffer)[place] = 1.0
            at += job.one_hot
            r += 1
        row += m
    return invalid


cdef inline void run_with_labels(
    const Job* job, FlPointwiseBlock* block, Py_ssize_t start, Py_ssize_t n, Py_ssize_t following
) noexcept nogil:
    """A block of arrays that the kernels use as they are, but for the labels."""
    cdef double y[LABEL_PIECE]
    cdef Py_ssize_t end = start + n, m, item = 8 if job.precision == FL_F64 else 4
    cdef Py_ssize_t most = LABEL_PIECE * 8 // item if job.stream or job.one_hot else PIECE
    cdef int invalid = 0
    block.stream = job.stream
    while start < end:
        m = min(end - start, most)
        if job.one_hot:
            invalid |= fill_one_hot(job, start, m, y)
        else:
            kernels().read[job.precision](&job.y_true, start, m, y)
        block.y_true = y
        block.raw_prediction = job.raw_prediction.data + start * item
        block.following = end - start - m + following  # of predictions; behind the labels is nothing
        if job.has_weight:
            block.sample_weight = job.sample_weight.data + start * item
        if job.has_loss:
            block.loss = job.loss.data + start * item
        if job.has_gradient:
            block.gradient = job.gradient.data + start * item
        if job.has_hessian:
            block.hessian = job.hessian.data + start * item
        job.function(block, m)
        block.fresh = False
        start += m
    if job.one_hot:
        block.invalid = invalid  # not what the kernel doubts of the labels made here


cdef inline void run_in_pieces(
    const Job* job, FlPointwiseBlock* block, Py_ssize_t start, Py_ssize_t n
) noexcept nogil:
    cdef double y[PIECE]
    cdef double f[PIECE]
    cdef double w[PIECE]
    cdef double loss[PIECE]
    cdef double gradient[PIECE]
    cdef double hessian[PIECE]
    cdef Py_ssize_t end = start + n, m
    cdef int precision = job.precision, invalid = 0
    while start < end:
        m = min(end - start, <Py_ssize_t>PIECE)
        if job.one_hot:
            invalid |= fill_one_hot(job, start, m, y)
            block.y_true = y
        else:
            block.y_true = piece_of(&job.y_true, precision, start, m, y)
        block.raw_prediction = piece_of(&job.raw_prediction, precision, start, m, f)
        if job.has_weight:
            block.sample_weight = piece_of(&job.sample_weight, precision, start, m, w)
        if job.has_loss:
            block.loss = place_of(&job.loss, start, loss)
        if job.has_gradient:
            block.gradient = place_of(&job.gradient, start, gradient)
        if job.has_hessian:
            block.hessian = place_of(&job.hessian, start, hessian)
        job.function(block, m)
        block.fresh = False
        if job.has_loss:
            put_piece(&job.loss, precision, start, m, loss)
        if job.has_gradient:
            put_piece(&job.gradient, precision, start, m, gradient)
        if job.has_hessian:
            put_piece(&job.hessian, precision, start, m, hessian)
        start += m
    if job.one_hot:
        block.invalid = invalid


cdef inline int describe_in_job(
    ndarray array, str argument, int precision, Job* job, FlArray* out
) except -1:
    """As describe(); the common case, an array that the kernels can use as it is, without a call."""
    if (
        cnp.PyArray_TYPE(array) == <int>(cnp.NPY_FLOAT64 if precision == FL_F64 else cnp.NPY_FLOAT32)
        and PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_ALIGNED)
        and PyArray_ISNOTSWAPPED(array)
    ):
        out.data = <char*>cnp.PyArray_DATA(array)
        out.contiguous = True
        out.itemsize = 8 if precision == FL_F64 else 4
    else:
        describe(array, argument, precision, out)
        if not out.contiguous:
            job.contiguous = False
    return 0
