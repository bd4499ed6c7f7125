# One evaluation of a loss of several outputs a sample, described for the loops that run without the
# GIL, and one block of it.
from libc.stdint cimport int64_t

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cdef enum:
    # softmax cross-entropy: a class or soft labels, as the shape says; FL_ROW_* name the others
    LABELS_CLASS_OR_SOFT = 100

# What takes part in an evaluation. The first four have a class axis.
cdef enum:
    RAW
    TARGET
    GRADIENT
    HESSIAN
    LABEL
    VALUE
    WEIGHT
    LOSS
    N_ARRAYS


# One array: how to reach it from a flat sample index. Its axes are those of the samples, the same
# for all arrays, and for the first four the class axis last.
cdef struct Operand:
    int present
    int direct            # native and aligned: kernels reach it by strides
    int by_class          # staged with the samples of a class side by side, as they stand in the array
    Py_ssize_t itemsize
    Py_ssize_t class_stride  # in bytes
    FlArray array


cdef struct Job:
    FlRowFn function
    int precision
    int stream
    int wants
    int fold_class_weight  # the label's class weight is a factor of the sample's weight
    int softmax           # one of the two kernels with a scratch and a check of targets of their own
    int takes_unread      # labels: the kernel reads and checks them itself, and
    int labels_unread     # as they stand in the array it can
    Py_ssize_t n_samples, n_classes, n_labels, rows
    Py_ssize_t inner      # a run with one stride: the last sample axis, or all if everything is staged
    int n_axes
    double scale, label_smoothing, class_weight_sum
    const double* params
    const void* class_weight
    const void* per_output
    int has_ignore
    int64_t ignore_index
    size_t scratch_bytes
    char* scratch         # per thread
    Operand operands[8]


# Where a thread's memory begins; all 64-aligned.
cdef struct Buffers:
    char* kernel
    int64_t* labels
    char* value
    char* weight
    char* loss
    char* staged[4]


cdef inline size_t kernel_scratch(const Job* job) noexcept nogil:
    """What the kernel of a block needs; some go the ways of the cross-entropy, and their own."""
    cdef size_t shared = whole_lines(fl_cross_entropy_scratch_bytes(job.n_classes))
    return shared if job.softmax else max(shared, whole_lines(fl_row_scratch_bytes(job.n_classes)))


cdef inline size_t divide_scratch(const Job* job, char* base, Buffers* out) noexcept nogil:
    """Places the buffers one behind the other; returns how much they need."""
    cdef size_t item = 8 if job.precision == FL_F64 else 4
    cdef size_t at = 0, row_bytes = whole_lines(job.rows * item)
    cdef int i
    out.kernel = base
    at += kernel_scratch(job)
    out.labels = <int64_t*>(base + at)
    at += whole_lines(job.rows * sizeof(int64_t))
    out.value = base + at
    at += row_bytes
    out.weight = base + at
    at += row_bytes
    out.loss = base + at
    at += row_bytes
    for i in range(4):
        out.staged[i] = base + at
        if job.operands[i].present and not job.operands[i].direct:
            at += whole_lines(job.rows * job.n_classes * item)
    return at


cdef inline int read_block_labels(
    const Job* job, Py_ssize_t start, Py_ssize_t n, int64_t* labels
) noexcept nogil:
    """Labels of a block, -1 where ignored; 1 if one is invalid (and then ignored)."""
    kernels().read_labels(&job.operands[LABEL].array, start, n, labels)
    return kernels().check_labels(labels, n, job.n_labels, job.has_ignore, job.ignore_index)


cdef inline void read_numbers(
    const Job* job, int which, Py_ssize_t start, Py_ssize_t n, char** buffer
) noexcept nogil:
    """One number a sample, of a block: into the buffer, or where they stand in its place."""
    cdef const Operand* operand = &job.operands[which]
    cdef Py_ssize_t stride = operand.array.strides[operand.array.ndim - 1]
    if operand.direct and operand.array.ndim == 1 and stride == operand.itemsize:
        buffer[0] = operand.array.data + start * stride
    else:
        kernels().read[job.precision](&operand.array, start, n, buffer[0])


cdef inline char* address(const Job* job, int which, Py_ssize_t index) noexcept nogil:
    """Where a sample stands in the array itself."""
    cdef const FlArray* array = &job.operands[which].array
    cdef char* p = array.data
    cdef int axis
    for axis in range(job.n_axes - 1, -1, -1):
        p += index % array.shape[axis] * array.strides[axis]
        index //= array.shape[axis]
    return p


cdef inline void place(
    const Job* job, int which, const Buffers* buffers, Py_ssize_t block_start, Py_ssize_t start,
    const void** data, Py_ssize_t* sample_stride, Py_ssize_t* class_stride
) noexcept nogil:
    """Where the sample `start` of an operand stands, and its strides in elements."""
    cdef const Operand* operand = &job.operands[which]
    cdef Py_ssize_t item = 8 if job.precision == FL_F64 else 4
    if not operand.direct and operand.by_class:
        data[0] = buffers.staged[which] + (start - block_start) * item
        sample_stride[0] = 1
        class_stride[0] = job.rows
        return
    if not operand.direct:
        data[0] = buffers.staged[which] + (start - block_start) * job.n_classes * item
        sample_stride[0] = job.n_classes
        class_stride[0] = 1
        return
    data[0] = address(job, which, start)
    sample_stride[0] = operand.array.strides[job.n_axes - 1] // item
    class_stride[0] = operand.class_stride // item


cdef inline void read_staged(
    const Job* job, int which, Py_ssize_t start, Py_ssize_t n, char* staged
) noexcept nogil:
    """Brings what a block needs to where it is staged."""
    cdef const Operand* operand = &job.operands[which]
    cdef Py_ssize_t k, item = 8 if job.precision == FL_F64 else 4
    cdef FlArray column
    if not operand.by_class:
        kernels().read[job.precision](
            &operand.array, start * job.n_classes, n * job.n_classes, staged
        )
        return
    column = operand.array
    column.ndim = job.n_axes
    for k in range(job.n_classes):
        kernels().read[job.precision](&column, start, n, staged + k * job.rows * item)
        column.data += operand.class_stride


cdef inline void write_staged(
    const Job* job, int which, Py_ssize_t start, Py_ssize_t n, const char* staged
) noexcept nogil:
    """Brings what a block has staged to where it belongs."""
    cdef const Operand* operand = &job.operands[which]
    cdef Py_ssize_t k, item = 8 if job.precision == FL_F64 else 4
    cdef FlArray column
    if not operand.by_class:
        kernels().write[job.precision](
            &operand.array, start * job.n_classes, n * job.n_classes, staged
        )
        return
    column = operand.array
    column.ndim = job.n_axes
    for k in range(job.n_classes):
        kernels().write[job.precision](&column, start, n, staged + k * job.rows * item)
        column.data += operand.class_stride


cdef inline int targets_valid(const Job* job, const FlRowBlock* block) noexcept nogil:
    """Whether the soft labels of a run are finite and not negative; they are in cache anyway."""
    cdef double sums[FL_SUM_LANES]
    cdef Py_ssize_t i, item = 8 if job.precision == FL_F64 else 4
    cdef const char* p = <const char*>block.targets
    cdef FlSumWeightsFn check = kernels().sum_weights[job.precision]
    cdef int valid = 1
    for i in range(FL_SUM_LANES):
        sums[i] = 0.0
    if block.target_class_stride == 1 and block.target_sample_stride == block.n_classes:
        valid = check(p, block.n_samples * block.n_classes, sums)
    elif block.target_class_stride == 1:
        for i in range(block.n_samples):
            valid &= check(p + i * block.target_sample_stride * item, block.n_classes, sums)
    else:  # samples side by side: anything else has been staged
        for i in range(block.n_classes):
            valid &= check(p + i * block.target_class_stride * item, block.n_samples, sums)
    return valid


cdef inline void fold_class_weight(const Job* job, Py_ssize_t n, const Buffers* buffers) noexcept nogil:
    """The block's weights times the class weights of the labels; what is ignored counts 0 anyway."""
    cdef Py_ssize_t i
    cdef bint has_weight = job.operands[WEIGHT].present
    cdef double* wide = <double*>buffers.weight
    cdef float* narrow = <float*>buffers.weight
    for i in range(n):
        if job.precision == FL_F64:
            wide[i] = (wide[i] if has_weight else 1.0) * (
                (<const double*>job.class_weight)[buffers.labels[i]] if buffers.labels[i] >= 0 else 0.0
            )
        else:
            narrow[i] = (narrow[i] if has_weight else <float>1.0) * (
                (<const float*>job.class_weight)[buffers.labels[i]]
                if buffers.labels[i] >= 0 else <float>0.0
            )


cdef inline int run_row_block(
    const Job* job, Py_ssize_t start, char* scratch, double* partial
) noexcept nogil:
    """One block of samples; its summed loss goes to partial. 1 if a label in it is invalid."""
    cdef FlRowBlock block
    cdef Buffers buffers
    cdef Py_ssize_t n = min(job.rows, job.n_samples - start), at = start, end = start + n
    cdef Py_ssize_t item = 8 if job.precision == FL_F64 else 4
    cdef Py_ssize_t offset
    cdef int invalid = 0, i
    cdef const void* where
    divide_scratch(job, scratch, &buffers)
    partial[0] = 0.0
    block.n_classes = job.n_classes
    block.class_weight = job.class_weight
    block.class_weight_sum = job.class_weight_sum
    block.label_smoothing = job.label_smoothing
    block.params = job.params
    block.per_output = job.per_output
    block.scale = job.scale
    block.wants = job.wants
    block.stream = job.stream
    for i in range(GRADIENT, HESSIAN + 1):
        if job.operands[i].present and not job.operands[i].direct:
            block.stream = 0  # staged in cache
    block.scratch = buffers.kernel
    block.loss_sum = 0.0
    block.invalid = 0
    block.labels = NULL
    block.unread = NULL
    block.unread_size = <int>job.operands[LABEL].itemsize
    block.has_ignored = job.has_ignore
    block.ignored = job.ignore_index
    block.values = NULL
    block.targets = NULL
    block.sample_weight = NULL
    block.loss = NULL
    block.gradient = NULL
    block.hessian = NULL
    if job.operands[LABEL].present and not job.labels_unread:
        invalid = read_block_labels(job, start, n, buffers.labels)
    if job.operands[VALUE].present:
        read_numbers(job, VALUE, start, n, &buffers.value)
    if job.operands[WEIGHT].present and job.fold_class_weight:
        kernels().read[job.precision](&job.operands[WEIGHT].array, start, n, buffers.weight)
    elif job.operands[WEIGHT].present:
        read_numbers(job, WEIGHT, start, n, &buffers.weight)
    for i in range(TARGET + 1):
        if job.operands[i].present and not job.operands[i].direct:
            read_staged(job, i, start, n, buffers.staged[i])
    if job.fold_class_weight:
        fold_class_weight(job, n, &buffers)
        block.class_weight = NULL
        block.class_weight_sum = <double>job.n_classes
    while at < end:
        offset = at - start
        # a run: samples that one stride leads through
        block.n_samples = min(end - at, job.inner - at % job.inner)
        place(
            job, RAW, &buffers, start, at, &block.raw_prediction, &block.sample_stride,
            &block.class_stride,
        )
        if job.operands[LABEL].present:
            block.labels = buffers.labels + offset
            if job.labels_unread:
                block.unread = address(job, LABEL, at)
        elif job.operands[TARGET].present:
            place(
                job, TARGET, &buffers, start, at, &block.targets, &block.target_sample_stride,
                &block.target_class_stride,
            )
            if job.softmax:
                invalid |= not targets_valid(job, &block)
        if job.operands[VALUE].present:
            block.values = buffers.value + offset * item
        if job.operands[WEIGHT].present or job.fold_class_weight:
            block.sample_weight = buffers.weight + offset * item
        if job.operands[LOSS].present:
            block.loss = buffers.loss + offset * item
        if job.operands[GRADIENT].present:
            place(
                job, GRADIENT, &buffers, start, at, &where, &block.gradient_sample_stride,
                &block.gradient_class_stride,
            )
            block.gradient = <void*>where
        if job.operands[HESSIAN].present:
            place(
                job, HESSIAN, &buffers, start, at, &where, &block.hessian_sample_stride,
                &block.hessian_class_stride,
            )
            block.hessian = <void*>where
        job.function(&block)
        if job.wants & FL_WANT_LOSS:
            partial[0] += block.loss_sum
        at += block.n_samples
    if job.operands[LOSS].present:
        kernels().write[job.precision](&job.operands[LOSS].array, start, n, buffers.loss)
    for i in range(GRADIENT, HESSIAN + 1):
        if job.operands[i].present and not job.operands[i].direct:
            write_staged(job, i, start, n, buffers.staged[i])
    return invalid | block.invalid


cdef inline void add_carrying(double* total, double* lost, double term) noexcept nogil:
    """total += term; lost gathers what that rounds away."""
    cdef double added = total[0] + term, part = added - total[0]
    lost[0] += (total[0] - (added - part)) + (term - part)
    total[0] = added


cdef inline int count_labels(
    const Job* job, Py_ssize_t start, Py_ssize_t end, char* scratch, int64_t* counts
) noexcept nogil:
    """Adds how many samples each class has, without class weights all; 1 if a label is invalid."""
    cdef FlRowBlock block
    cdef Buffers buffers
    cdef int invalid = 0
    divide_scratch(job, scratch, &buffers)
    block.n_classes = job.n_labels
    while start < end:
        if job.labels_unread:
            block.n_samples = min(end - start, job.inner - start % job.inner)
            block.unread = address(job, LABEL, start)
            block.unread_size = <int>job.operands[LABEL].itemsize
            block.has_ignored = job.has_ignore
            block.ignored = job.ignore_index
        else:
            block.n_samples = min(end - start, job.rows)
            invalid |= read_block_labels(job, start, block.n_samples, buffers.labels)
            block.unread = buffers.labels
            block.unread_size = sizeof(int64_t)
            block.has_ignored = True
            block.ignored = -1
        invalid |= kernels().count_labels(&block, job.class_weight != NULL, counts)
        start += block.n_samples
    return invalid


cdef inline double weight_of_counts(const Job* job, const int64_t* counts) noexcept nogil:
    cdef Py_ssize_t k
    cdef double weight, top, count, total = 0.0, lost = 0.0
    if job.class_weight == NULL:
        return <double>counts[0]
    for k in range(job.n_labels):
        count = <double>counts[k]
        if job.precision == FL_F64:
            weight = (<const double*>job.class_weight)[k]
        else:
            weight = (<const float*>job.class_weight)[k]
        # its upper half times a count of less than 2^29 is exact, and so is what is left of it
        top = <double><float>weight
        add_carrying(&total, &lost, top * count)
        add_carrying(&total, &lost, (weight - top) * count)
    return total + lost


cdef inline int weigh_block(
    const Job* job, Py_ssize_t start, char* scratch, double* partial
) noexcept nogil:
    """The weight of a block's samples that are not ignored: sample weight times class weight."""
    cdef Buffers buffers
    cdef Py_ssize_t i, n = min(job.rows, job.n_samples - start)
    cdef int invalid = 0
    # the mean divides all by this sum: it carries along what each addition loses
    cdef double weight, total = 0.0, lost = 0.0
    divide_scratch(job, scratch, &buffers)
    invalid = read_block_labels(job, start, n, buffers.labels)
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
        add_carrying(&total, &lost, weight)
    partial[0] = total + lost
    return invalid
