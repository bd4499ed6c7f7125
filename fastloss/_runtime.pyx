"""What all compiled modules share: kernels for this CPU, threads, array descriptions, checks."""

import math
import os
import warnings

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._cpu_limit import cgroup_cpu_limit
from fastloss.kernels cimport *

cnp.import_array()

# ---------------------------------------------------------------- kernels

cdef const FlKernels* _kernels = NULL
cdef str _why = ""


cdef int _select_kernels() except -1:
    global _kernels, _why
    cdef const char* problem = NULL
    requested = os.environ.get("FASTLOSS_ISA", "")
    if requested:
        name = requested.encode()
        _kernels = fl_select_kernels(name, &problem)
        if _kernels == NULL:
            available = ", ".join(_available())
            raise ImportError(
                f"FASTLOSS_ISA={requested}: {problem.decode()}; this machine runs {available}"
            )
        _why = f"FASTLOSS_ISA={requested}"
    else:
        _kernels = fl_select_kernels(NULL, &problem)
        _why = "the fastest that this processor supports"
    fl_install_fork_guard()
    return 0


cdef list _available():
    cdef const char* names[8]
    cdef int i, n = fl_available_isas(names, 8)
    return [names[i].decode() for i in range(n)]


cdef const FlKernels* kernels() noexcept nogil:
    return _kernels


def cpu_info():
    """
    Tell which instruction set and how many threads the kernels use, and why.

    Returns
    -------
    dict
        ``isa`` (str): the kernels in use: "generic" (plain C), "baseline" (x86-64 v1), "v3" (AVX2),
        "v4" (AVX-512) or "neon"; ``reason`` (str): why these; ``available`` (list of str): all that
        run here, slowest first, each a value for the environment variable ``FASTLOSS_ISA``;
        ``vector_bits`` (int; 0 without vectors); ``fused_multiply_add`` (bool); ``openmp`` (bool);
        ``n_threads`` (int): the default for large inputs at this moment; ``cgroup_cpus`` (int or
        None): the control group's limit.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.cpu_info()["isa"] in fl.cpu_info()["available"]
    True
    """
    return {
        "isa": _kernels.isa.decode(),
        "reason": _why,
        "available": _available(),
        "vector_bits": _kernels.vector_bits,
        "fused_multiply_add": bool(_kernels.fused_multiply_add),
        "openmp": bool(fl_openmp_available()),
        "n_threads": get_num_threads(),
        "cgroup_cpus": cgroup_cpu_limit(),
    }


# ---------------------------------------------------------------- threads

cdef enum:
    ELEMENTS_PER_THREAD = 8192

cdef int _num_threads = 0      # 0: not set by the user
cdef int _cgroup_limit = -1    # -1: not asked yet


def set_num_threads(n_threads):
    """
    Set the default number of threads of every fastloss call in this process.

    Parameters
    ----------
    n_threads : int or None
        At least 1. None returns to the rule: OpenMP's limit at the time of the call
        (``OMP_NUM_THREADS``, threadpoolctl, the affinity mask) and the control group's CPU limit,
        whichever is less.

    Raises
    ------
    TypeError, ValueError
        If `n_threads` is not an integer, or is less than 1.

    Notes
    -----
    The number of threads never changes a result, only its speed.
    """
    global _num_threads
    _num_threads = 0 if n_threads is None else _checked_threads(n_threads)


def get_num_threads():
    """
    Return the number of threads that a call with large inputs would use now.

    Returns
    -------
    int
        What `set_num_threads` set, else OpenMP's limit or the control group's, whichever is less;
        1 after a fork and without OpenMP.
    """
    return _default_threads() if fl_may_thread() else 1


cdef int _checked_threads(object n_threads) except -1:
    if isinstance(n_threads, (bool, np.bool_)) or not hasattr(n_threads, "__index__"):
        raise TypeError(f"n_threads = {n_threads!r}: expected an integer of at least 1, or None")
    n = n_threads.__index__()
    if n < 1:
        raise ValueError(f"n_threads = {n}: expected an integer of at least 1, or None")
    return min(n, 4096)


cdef int _default_threads() except -1:
    global _cgroup_limit
    if _num_threads:
        return _num_threads
    if _cgroup_limit < 0:
        _cgroup_limit = cgroup_cpu_limit() or 0
    cdef int limit = fl_thread_limit()
    return min(limit, _cgroup_limit) if _cgroup_limit else limit


cdef int asked_thread_count(object n_threads, Py_ssize_t work) except -1:
    cdef int wanted = 0
    if n_threads is not None:
        wanted = _checked_threads(n_threads)
    if work < PARALLEL_GRAIN or wanted == 1 or not fl_may_thread():
        return 1
    if not wanted:
        wanted = _default_threads()
    return <int>min(<Py_ssize_t>wanted, work // ELEMENTS_PER_THREAD)


# ---------------------------------------------------------------- arguments

cdef int asked_reduction(object reduction) except -1:
    if isinstance(reduction, str):
        if reduction == "mean":
            return REDUCTION_MEAN
        if reduction == "sum":
            return REDUCTION_SUM
        if reduction == "none":
            return REDUCTION_NONE
    raise ValueError(f"reduction = {reduction!r}: expected 'mean', 'sum' or 'none'")


cdef int _dtype_code(int type_number) noexcept:
    if type_number == cnp.NPY_FLOAT64:
        return FL_DTYPE_FLOAT64
    if type_number == cnp.NPY_FLOAT32:
        return FL_DTYPE_FLOAT32
    if type_number == cnp.NPY_BOOL:
        return FL_DTYPE_BOOL
    if type_number == cnp.NPY_FLOAT16:
        return FL_DTYPE_FLOAT16
    # C's integer types by their size, which differs between platforms
    cdef Py_ssize_t size = 0
    cdef bint is_signed = True
    if type_number == cnp.NPY_BYTE:
        size = sizeof(char)
    elif type_number == cnp.NPY_SHORT:
        size = sizeof(short)
    elif type_number == cnp.NPY_INT:
        size = sizeof(int)
    elif type_number == cnp.NPY_LONG:
        size = sizeof(long)
    elif type_number == cnp.NPY_LONGLONG:
        size = sizeof(long long)
    else:
        is_signed = False
        if type_number == cnp.NPY_UBYTE:
            size = sizeof(char)
        elif type_number == cnp.NPY_USHORT:
            size = sizeof(short)
        elif type_number == cnp.NPY_UINT:
            size = sizeof(int)
        elif type_number == cnp.NPY_ULONG:
            size = sizeof(long)
        elif type_number == cnp.NPY_ULONGLONG:
            size = sizeof(long long)
    if size == 1:
        return FL_DTYPE_INT8 if is_signed else FL_DTYPE_UINT8
    if size == 2:
        return FL_DTYPE_INT16 if is_signed else FL_DTYPE_UINT16
    if size == 4:
        return FL_DTYPE_INT32 if is_signed else FL_DTYPE_UINT32
    if size == 8:
        return FL_DTYPE_INT64 if is_signed else FL_DTYPE_UINT64
    return -1


cdef ndarray converted_values(object values, str argument):
    if cnp.PyArray_Check(values) and hasattr(values, "mask"):
        masked = np.argwhere(values.mask)
        if masked.size:
            index = ", ".join(str(i) for i in masked[0])
            raise ValueError(
                f"{argument}[{index}] is masked: expected an array without masked entries; fill them, "
                "and let a sample_weight of 0 leave them out"
            )
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of unequal lengths
        raise ValueError(f"{argument}: {error}") from None
    if array.dtype == object:
        raise TypeError(f"{argument}: expected an array of numbers, got {type(values).__name__}")
    return <ndarray>array


cdef ndarray converted_prediction(object raw_prediction, str argument):
    array = as_values(raw_prediction, argument)
    if not hasattr(raw_prediction, "dtype") and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    return <ndarray>array


cdef int refuse_precision(ndarray array, str argument) except -1:
    raise TypeError(f"{argument} has dtype {array.dtype}: expected float32 or float64")


cdef int describe(ndarray array, str argument, int precision, FlArray* out) except -1:
    """Fills out; out.contiguous tells that the kernels can read the memory as it is."""
    cdef int axis
    out.dtype = _dtype_code(cnp.PyArray_TYPE(array))
    if out.dtype < 0:
        raise TypeError(
            f"{argument} has dtype {array.dtype}: expected bool, an integer type, float16, float32 "
            "or float64"
        )
    out.data = <char*>cnp.PyArray_DATA(array)
    out.swapped = not PyArray_ISNOTSWAPPED(array)
    out.itemsize = cnp.PyArray_ITEMSIZE(array)
    out.contiguous = (
        out.dtype == (FL_DTYPE_FLOAT64 if precision == FL_F64 else FL_DTYPE_FLOAT32)
        and not out.swapped
        and PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_ALIGNED)
    )
    if out.contiguous:
        out.ndim = 1
        out.shape[0] = cnp.PyArray_SIZE(array)
        out.strides[0] = out.itemsize
    else:
        out.ndim = cnp.PyArray_NDIM(array)
        for axis in range(out.ndim):
            out.shape[axis] = cnp.PyArray_DIM(array, axis)
            out.strides[axis] = cnp.PyArray_STRIDE(array, axis)
        fl_array_merge_axes(out)
    return 0


cdef str element(str argument, ndarray array, Py_ssize_t flat_index):
    """'y_true[3, 1] = 2.0', to open an error message."""
    if cnp.PyArray_NDIM(array) == 0:
        return f"{argument} = {array[()].item()!r}"
    index = np.unravel_index(flat_index, (<object>array).shape)
    inside = ", ".join(str(int(i)) for i in index)
    return f"{argument}[{inside}] = {array[index].item()!r}"


cdef int warn_empty(str what) except -1:
    # compiled functions have no frame: level 1 is the line that called fastloss
    warnings.warn(f"mean of {what} is NaN", RuntimeWarning, stacklevel=1)
    return 0


# ---------------------------------------------------------------- memory of outputs

cdef void extent(ndarray array, size_t* low, size_t* high) noexcept:
    """The addresses between which the elements lie: [low, high)."""
    cdef int axis
    cdef Py_ssize_t reach
    low[0] = high[0] = <size_t>cnp.PyArray_DATA(array)
    if cnp.PyArray_SIZE(array) == 0:
        return
    for axis in range(cnp.PyArray_NDIM(array)):
        reach = (cnp.PyArray_DIM(array, axis) - 1) * cnp.PyArray_STRIDE(array, axis)
        if reach > 0:
            high[0] += <size_t>reach
        else:
            low[0] -= <size_t>(-reach)
    high[0] += <size_t>cnp.PyArray_ITEMSIZE(array)


cdef bint same_memory(ndarray a, ndarray b) noexcept:
    """Whether element i of a is element i of b, for every i; shapes are equal."""
    cdef int axis
    if cnp.PyArray_DATA(a) != cnp.PyArray_DATA(b):
        return False
    for axis in range(cnp.PyArray_NDIM(a)):
        if (
            cnp.PyArray_DIM(a, axis) > 1
            and cnp.PyArray_STRIDE(a, axis) != cnp.PyArray_STRIDE(b, axis)
        ):
            return False
    return True


cdef bint overlaps(ndarray a, ndarray b) except -1:
    cdef size_t a_low, a_high, b_low, b_high
    extent(a, &a_low, &a_high)
    extent(b, &b_low, &b_high)
    if a_high <= b_low or b_high <= a_low:
        return False
    try:  # the extents meet; the elements may still interleave
        return np.shares_memory(a, b, max_work=100_000)
    except np.exceptions.TooHardError:
        return True


cdef bint _overlaps_itself(ndarray array) except -1:
    """Whether two indices may share memory: false if each axis strides over all shorter ones."""
    cdef Py_ssize_t reach = cnp.PyArray_ITEMSIZE(array)
    if PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_C_CONTIGUOUS) or cnp.PyArray_SIZE(array) <= 1:
        return False
    axes = sorted(
        (abs(stride), length)
        for stride, length in zip((<object>array).strides, (<object>array).shape, strict=True)
        if length > 1
    )
    for stride, length in axes:
        if stride < reach:
            return True
        reach += stride * (length - 1)
    return False


cdef ndarray new_like(ndarray prototype):
    """An uninitialised C-contiguous array of the prototype's shape and its dtype in native order."""
    return cnp.PyArray_EMPTY(
        cnp.PyArray_NDIM(prototype), cnp.PyArray_DIMS(prototype), cnp.PyArray_TYPE(prototype), 0
    )


cdef ndarray checked_out(object out, str argument, ndarray prototype, str prototype_name):
    """An output array that the caller provided, or an error that names what is wrong with it."""
    if not cnp.PyArray_Check(out):
        raise TypeError(f"{argument}: expected a NumPy array, got {type(out).__name__}")
    cdef ndarray array = <ndarray>out
    if cnp.PyArray_TYPE(array) != cnp.PyArray_TYPE(prototype):
        raise TypeError(
            f"{argument} has dtype {array.dtype}: expected {prototype.dtype.newbyteorder('=')}, "
            f"that of {prototype_name}"
        )
    if not same_shape(array, prototype):
        raise ValueError(
            f"{argument} has shape {out.shape}: expected {(<object>prototype).shape}, that of "
            f"{prototype_name}"
        )
    if not PyArray_CHKFLAGS(array, cnp.NPY_ARRAY_WRITEABLE):
        raise ValueError(f"{argument} is read-only: expected a writeable array")
    if _overlaps_itself(array):
        raise ValueError(
            f"{argument} overlaps itself (strides {out.strides}): expected one place in memory an "
            "element"
        )
    return array


cdef int refuse_overlap(ndarray out, str argument, object other, str other_name) except -1:
    if other is not None and overlaps(out, <ndarray>other):
        raise ValueError(f"{argument} overlaps {other_name} in memory: expected separate arrays")
    return 0


def checked_place(out, str argument not None, prototype, str prototype_name not None, taken=()):
    """
    Check an output that the caller provided, for losses that are written in Python.

    Parameters
    ----------
    out : object
        What was given.
    argument : str
        Its name, for the error.
    prototype : ndarray
        Whose shape and dtype it must have.
    prototype_name : str
        The name of that.
    taken : sequence of (ndarray or None, str)
        What it must not overlap, and the names.

    Returns
    -------
    ndarray
        `out`, or an error has been raised.
    """
    cdef ndarray array = checked_out(out, argument, prototype, prototype_name)
    for other, name in taken:
        refuse_overlap(array, argument, other, name)
    return array


def share_memory(ndarray a not None, ndarray b not None):
    """Tell whether two arrays overlap, or might: the question can be hard."""
    return bool(overlaps(a, b))


# ---------------------------------------------------------------- weights

_WRONG_WEIGHT = "weights must be finite and not negative"


cdef int _sum_weights_block(
    const FlArray* weights, int precision, Py_ssize_t start, Py_ssize_t n, double* partial
) noexcept nogil:
    """1 if a weight of the block is invalid."""
    cdef double sums[FL_SUM_LANES]
    cdef double buffer[1024]
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef Py_ssize_t done = 0, m
    cdef int valid = 1
    memset(sums, 0, sizeof(sums))
    if weights.contiguous:
        valid = _kernels.sum_weights[precision](weights.data + start * item, n, sums)
    else:
        while done < n:
            m = min(n - done, <Py_ssize_t>1024)
            _kernels.read[precision](weights, start + done, m, buffer)
            valid &= _kernels.sum_weights[precision](buffer, m, sums)
            done += m
    partial[0] = kernels().fold_sums(sums)
    return not valid


cdef int _sum_weights_blocks(
    const FlArray* weights, int precision, Py_ssize_t n, Py_ssize_t length, double* partials,
    int threads
) noexcept nogil:
    cdef Py_ssize_t b, n_blocks = (n + length - 1) // length
    cdef int invalid = 0
    if threads > 1:
        for b in prange(n_blocks, schedule="static", num_threads=threads):
            invalid += _sum_weights_block(
                weights, precision, b * length, min(length, n - b * length), &partials[b]
            )
    else:
        for b in range(n_blocks):
            invalid += _sum_weights_block(
                weights, precision, b * length, min(length, n - b * length), &partials[b]
            )
    return invalid


cdef Py_ssize_t find_invalid(FlArray* array, int precision, Py_ssize_t n, int labels) noexcept nogil:
    """The flat index of the first element outside a label domain, or -1."""
    cdef double buffer[1024]
    cdef Py_ssize_t start = 0, m, found
    if array.contiguous:
        return _kernels.find_invalid[precision](array.data, n, labels)
    while start < n:
        m = min(n - start, <Py_ssize_t>1024)
        _kernels.read[precision](array, start, m, buffer)
        found = _kernels.find_invalid[precision](buffer, m, labels)
        if found >= 0:
            return start + found
        start += m
    return -1


cdef bint _sum_if_valid(
    ndarray weights, str argument, int precision, object n_threads, double* total
) except -1:
    """The sum of the weights as kernels of a precision see them; whether all are valid there."""
    cdef FlArray array
    cdef Py_ssize_t n = cnp.PyArray_SIZE(weights), length = block_length(n)
    cdef Py_ssize_t n_blocks = (n + length - 1) // length
    cdef int invalid, threads = thread_count(n_threads, n)
    cdef double one_partial
    cdef double* partials = &one_partial
    total[0] = 0.0
    describe(weights, argument, precision, &array)
    if n == 0:
        return True
    if n_blocks > 1:
        partials = <double*>malloc(n_blocks * sizeof(double))
        if partials == NULL:
            raise MemoryError
        with nogil:
            invalid = _sum_weights_blocks(&array, precision, n, length, partials, threads)
    else:
        invalid = _sum_weights_blocks(&array, precision, n, length, partials, 1)
    total[0] = fl_sum_pairwise(partials, n_blocks)
    if n_blocks > 1:
        free(partials)
    return not invalid


cdef int _refuse_invalid_weight(ndarray weights, str argument, int precision, str what) except -1:
    """An error that names the first weight that is not valid in a precision, if there is one."""
    cdef FlArray array
    cdef Py_ssize_t index
    describe(weights, argument, precision, &array)
    index = find_invalid(&array, precision, cnp.PyArray_SIZE(weights), FL_LABELS_NONNEGATIVE)
    if index >= 0:
        raise ValueError(f"{element(argument, weights, index)}: {what}")
    return 0


cdef object sum_weights(ndarray weights, str argument, int precision, object n_threads):
    """The sum of the weights, in float64; an error if one is negative or not finite."""
    cdef double total
    if not _sum_if_valid(weights, argument, precision, n_threads, &total):
        _refuse_invalid_weight(weights, argument, FL_F64, _WRONG_WEIGHT)
        _refuse_invalid_weight(
            weights, argument, precision,
            "too large for raw_prediction's float32, whose largest number is 3.4028235e+38",
        )
    return total


cdef ndarray balanced_weights(
    ndarray weights, str argument, int precision, object n_threads, double* total, int* exponent
):
    """
    Weights for a mean and their sum: as they are, or divided by 2^exponent, which a mean does not see.

    Divided where their sum, its inverse or their products with losses might leave the precision's
    range. Only then is there a copy, and a pass more.
    """
    cdef bint wide = precision == FL_F64
    cdef double least = 2.0**-300 if wide else 2.0**-40, most = 2.0**500 if wide else 2.0**64
    exponent[0] = 0
    if _sum_if_valid(weights, argument, precision, n_threads, total) and least <= total[0] <= most:
        return weights
    _refuse_invalid_weight(weights, argument, FL_F64, _WRONG_WEIGHT)
    largest = float((<object>weights).max(initial=0))
    if largest == 0.0:
        return weights
    exponent[0] = math.frexp(largest)[1]
    with np.errstate(under="ignore"):
        scaled = np.asarray(np.ldexp(np.asarray(weights, dtype=np.float64), -exponent[0]))
    total[0] = sum_weights(<ndarray>scaled, argument, precision, n_threads)
    return <ndarray>scaled


def checked_weights(weights, dtype, *, bint for_mean, n_threads=None):
    """
    Check sample weights, for losses that are written in Python.

    Parameters
    ----------
    weights : ndarray
        Sample weights.
    dtype : dtype
        float32 or float64, that of the predictions.
    for_mean : bool
        Whether a common factor does not matter.
    n_threads : int, optional
        See `set_num_threads`.

    Returns
    -------
    tuple of (ndarray, float, int)
        The weights divided by 2**exponent, the sum of these, and the exponent: 0 unless they are for
        a mean and extreme.
    """
    cdef double total
    cdef int exponent = 0, precision = FL_F64 if np.dtype(dtype).itemsize == 8 else FL_F32
    if for_mean:
        weights = balanced_weights(
            weights, "sample_weight", precision, n_threads, &total, &exponent
        )
    else:
        total = sum_weights(weights, "sample_weight", precision, n_threads)
    return weights, total, exponent


# ---------------------------------------------------------------- inverse links

cdef enum:
    LINK_PIECE = 1024

cdef void _link_piece(
    const FlArray* source, const FlArray* place, FlUnaryFn function, int precision,
    Py_ssize_t start, Py_ssize_t n
) noexcept nogil:
    cdef double x[LINK_PIECE]
    cdef double y[LINK_PIECE]
    cdef const void* values = x
    cdef void* to = y
    if source.contiguous:
        values = source.data + start * source.itemsize
    else:
        _kernels.read[precision](source, start, n, x)
    if function == NULL:
        _kernels.write[precision](place, start, n, values)
        return
    if place.contiguous:
        to = place.data + start * place.itemsize
    function(values, to, n)
    if not place.contiguous:
        _kernels.write[precision](place, start, n, y)


cdef void _link_pieces(
    const FlArray* source, const FlArray* place, FlUnaryFn function, int precision, Py_ssize_t n,
    int threads
) noexcept nogil:
    cdef Py_ssize_t b, n_pieces = (n + LINK_PIECE - 1) // LINK_PIECE
    if threads > 1:
        for b in prange(n_pieces, schedule="static", num_threads=threads):
            _link_piece(
                source, place, function, precision, b * LINK_PIECE,
                min(<Py_ssize_t>LINK_PIECE, n - b * LINK_PIECE),
            )
    else:
        for b in range(n_pieces):
            _link_piece(
                source, place, function, precision, b * LINK_PIECE,
                min(<Py_ssize_t>LINK_PIECE, n - b * LINK_PIECE),
            )


cdef int apply_link(ndarray f, ndarray target, int link, int threads) except -1:
    """target = the inverse link (FL_LINK_*) of f, element by element; the same shape and precision."""
    cdef FlArray source, place
    cdef int precision = precision_of(f, "raw_prediction")
    cdef FlUnaryFn function = NULL
    cdef Py_ssize_t n = cnp.PyArray_SIZE(f)
    describe(f, "raw_prediction", precision, &source)
    describe(target, "out", precision, &place)
    if link != FL_LINK_IDENTITY:
        function = _kernels.unary[link][precision]
    with nogil:
        _link_pieces(&source, &place, function, precision, n, threads)
    return 0


# ---------------------------------------------------------------- vector math, for the tests

def apply_unary(str name not None, x):
    """
    Apply a one-argument function of the vector math library to every element.

    Parameters
    ----------
    name : str
        One of "exp", "expm1", "log", "log1p", "expit", "softplus", "tanh", "sqrt",
        "exp_nonpositive" (x <= 0) and "log1p_unit" (0 <= x <= 1).
    x : ndarray
        float32 or float64.

    Returns
    -------
    ndarray
        Of x's shape and dtype.
    """
    cdef ndarray array = np.ascontiguousarray(x)
    cdef int precision = precision_of(array, "x")
    cdef ndarray out = np.empty_like(array)
    cdef int i
    for i in range(FL_N_UNARY):
        if fl_unary_names[i].decode() == name:
            _kernels.unary[i][precision](
                cnp.PyArray_DATA(array), cnp.PyArray_DATA(out), cnp.PyArray_SIZE(array)
            )
            return out
    names = ", ".join(fl_unary_names[i].decode() for i in range(FL_N_UNARY))
    raise ValueError(f"name = {name!r}: expected one of {names}")


def apply_pow(x, y):
    """Return x ** y, element by element, by the vector math library; both of one shape and dtype."""
    cdef ndarray base = np.ascontiguousarray(x)
    cdef ndarray exponent = np.ascontiguousarray(y, dtype=base.dtype)
    cdef int precision = precision_of(base, "x")
    cdef ndarray out = np.empty_like(base)
    if not same_shape(base, exponent):
        raise ValueError(f"y has shape {y.shape}: expected {x.shape}, that of x")
    _kernels.pow[precision](
        cnp.PyArray_DATA(base), cnp.PyArray_DATA(exponent), cnp.PyArray_DATA(out),
        cnp.PyArray_SIZE(base),
    )
    return out


_select_kernels()
