"""Clipping of gradients, in place: by the norm of all together, or each element."""

import math

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport fabs, pow, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *
from fastloss.optim._positions cimport PIECE, Position, Positions

cnp.import_array()

cdef enum:
    RELEASE_GIL_FROM = 4096
    POWERS = 3   # besides FL_NORM_*: sums of |x|^p for other p


# ---------------------------------------------------------------- norms

cdef void _powers(double* x, Py_ssize_t n, double p) noexcept nogil:
    """|x|^p in place of x."""
    cdef double exponents[PIECE]
    cdef Py_ssize_t j
    for j in range(n):
        x[j] = fabs(x[j])
        exponents[j] = p
    kernels().pow[<int>FL_F64](x, exponents, x, n)


cdef double _norm_block(
    const Position* position, Py_ssize_t start, Py_ssize_t n, int kind, double p
) noexcept nogil:
    """The partial sum (or maximum) of one block."""
    cdef double lanes[FL_SUM_LANES]
    cdef double piece[PIECE]
    cdef int precision = position.precision
    cdef Py_ssize_t item = 8 if precision == FL_F64 else 4
    cdef Py_ssize_t end = start + n, m
    cdef FlArray flat
    cdef const char* data = <const char*>position.block.param
    memset(lanes, 0, sizeof(lanes))
    if kind == POWERS:
        if position.layouts == NULL:  # read needs a description
            flat.data = <char*>data
            flat.dtype = FL_DTYPE_FLOAT64 if precision == FL_F64 else FL_DTYPE_FLOAT32
            flat.swapped = False
            flat.ndim = flat.contiguous = 1
            flat.itemsize = flat.strides[0] = item
            flat.shape[0] = position.n
        while start < end:
            m = min(end - start, <Py_ssize_t>PIECE)
            kernels().read[<int>FL_F64](
                &flat if position.layouts == NULL else &position.layouts.param, start, m, piece
            )
            _powers(piece, m, p)
            kernels().norm[<int>FL_NORM_SIZES][<int>FL_F64](piece, m, lanes)
            start += m
    elif position.layouts == NULL:
        kernels().norm[kind][precision](data + start * item, n, lanes)
    else:
        while start < end:
            m = min(end - start, <Py_ssize_t>PIECE)
            kernels().read[precision](&position.layouts.param, start, m, piece)
            kernels().norm[kind][precision](piece, m, lanes)
            start += m
    return lanes[0] if kind == FL_NORM_LARGEST else kernels().fold_sums(lanes)


cdef void _norm_blocks(
    const Position* at, const Py_ssize_t* first, Py_ssize_t count, int kind, double p,
    double* partials, int threads
) noexcept nogil:
    """Every block of every position; first[i] blocks stand before those of position i."""
    cdef Py_ssize_t b
    if threads > 1:
        for b in prange(first[count], schedule="static", num_threads=threads):
            partials[b] = _one_block(at, first, count, kind, p, b)
    else:
        for b in range(first[count]):
            partials[b] = _one_block(at, first, count, kind, p, b)


cdef double _one_block(
    const Position* at, const Py_ssize_t* first, Py_ssize_t count, int kind, double p, Py_ssize_t b
) noexcept nogil:
    cdef Py_ssize_t low = 0, high = count, middle, length, start
    while high - low > 1:
        middle = (low + high) // 2
        if first[middle] <= b:
            low = middle
        else:
            high = middle
    length = block_length(at[low].n)
    start = (b - first[low]) * length
    return _norm_block(&at[low], start, min(length, at[low].n - start), kind, p)


cdef double _total(const double* partials, Py_ssize_t n, int kind) noexcept nogil:
    cdef double largest = 0.0
    cdef Py_ssize_t b
    if kind != FL_NORM_LARGEST:
        return fl_sum_pairwise(partials, n)
    for b in range(n):
        if largest == largest and not partials[b] <= largest:
            largest = partials[b]
    return largest


cdef double _norm(Positions positions, double p, object n_threads) except -1.0:
    cdef Py_ssize_t i, n_blocks = 0, count = positions.count
    cdef int kind, threads = thread_count(n_threads, positions.total)
    cdef Py_ssize_t* first = <Py_ssize_t*>malloc((count + 1) * sizeof(Py_ssize_t))
    cdef double* partials = NULL
    cdef double total
    if p == 2.0:
        kind = FL_NORM_SQUARES
    elif p == 1.0:
        kind = FL_NORM_SIZES
    else:
        kind = FL_NORM_LARGEST if math.isinf(p) else POWERS
    try:
        if first == NULL:
            raise MemoryError
        first[0] = 0
        for i in range(count):
            n_blocks = block_length(positions.at[i].n)
            n_blocks = (positions.at[i].n + n_blocks - 1) // n_blocks
            first[i + 1] = first[i] + n_blocks
        n_blocks = first[count]
        partials = <double*>malloc((n_blocks + 1) * sizeof(double))
        if partials == NULL:
            raise MemoryError
        if positions.total >= RELEASE_GIL_FROM:
            with nogil:
                _norm_blocks(positions.at, first, count, kind, p, partials, threads)
        else:
            _norm_blocks(positions.at, first, count, kind, p, partials, 1)
        total = _total(partials, n_blocks, kind)
    finally:
        free(first)
        free(partials)
    if kind == FL_NORM_SQUARES:
        return sqrt(total)
    return pow(total, 1 / p) if kind == POWERS else total


# ---------------------------------------------------------------- arguments

cdef double _number(str name, object value, bint positive) except? -1.0:
    cdef double x
    if isinstance(value, (str, bytes, bool)):
        raise TypeError(f"{name} = {value!r}: expected a number")
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r}: expected a number") from None
    if math.isnan(x) or x < 0 or (positive and x == 0):
        kind = "a number greater than 0" if positive else "a number of at least 0"
        raise ValueError(f"{name} = {value!r}: expected {kind}")
    return x


cdef Positions _gradients(object grads, int optimizer, const double* numbers):
    """The gradients, each a position of its own whose param and grad it is; None is left out."""
    cdef Positions positions = Positions()
    cdef Position* position
    cdef tuple given = positions.arrays(grads, "grads"), written
    cdef str name
    cdef list arrays = []
    positions.c_order = True  # the order of a norm's terms, and so its bits, are not the layout's
    positions.begin(len(given))
    for i, grad in enumerate(given):
        if grad is None:
            continue
        name = positions.label("grads", i)
        if not cnp.PyArray_Check(grad):
            raise TypeError(f"{name}: expected a NumPy array, got {type(grad).__name__}")
        precision_of(<ndarray>grad, name)
        checked_out(grad, name, <ndarray>grad, "itself")
        position = positions.add(<ndarray>grad, <ndarray>grad, None, optimizer)
        position.block.numbers = numbers
        position.block.variant = 0
        arrays.append(grad)
    written = tuple(arrays)
    positions.refuse_overlaps(written, "grads")
    positions.owner = written
    return positions


def clip_grad_norm(grads, max_norm, norm_type=2.0, error_if_nonfinite=False, *, n_threads=None):
    """
    Scale gradients in place such that the norm of all together is at most `max_norm`.

    The semantics of ``torch.nn.utils.clip_grad_norm_``: where max_norm / (norm + 1e-6) is less than
    1, every gradient is multiplied by it.

    Parameters
    ----------
    grads : ndarray or list of ndarray
        Of float32 or float64, any shapes and strides, writeable; None is left out.
    max_norm : float
        At least 0.
    norm_type : float
        The p of the norm, greater than 0; ``math.inf`` for the largest size.
    error_if_nonfinite : bool
        Whether a norm that is NaN or infinite is an error. Else an infinite norm makes finite
        gradients 0 and infinite ones NaN; a norm of NaN makes all of them NaN.
    n_threads : int, optional
        Threads for this call; see `set_num_threads`.

    Returns
    -------
    float
        The norm before clipping, summed in float64: the same for any number of threads.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, a gradient is read-only, or gradients overlap.
    RuntimeError
        If the norm is not finite and `error_if_nonfinite` is true. Nothing is changed then.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> gradient = np.array([3.0, 4.0])
    >>> fl.optim.clip_grad_norm(gradient, 1.0)
    5.0
    >>> gradient.round(5)
    array([0.6, 0.8])
    """
    cdef double numbers[FL_OPTIM_NUMBERS]
    cdef double most = _number("max_norm", max_norm, False), norm, p
    cdef Positions positions
    if isinstance(norm_type, str) and norm_type == "inf":
        norm_type = math.inf
    p = _number("norm_type", norm_type, True)
    memset(numbers, 0, sizeof(numbers))
    positions = _gradients(grads, FL_OPTIM_scale, numbers)
    norm = _norm(positions, p, n_threads)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"the norm of order {norm_type!r} of grads is {norm!r}: it cannot be clipped"
        )
    numbers[0] = most / (norm + 1e-6)
    if not numbers[0] >= 1:
        positions.run(n_threads)
    return norm


def clip_grad_value(grads, clip_value, *, n_threads=None):
    """
    Limit every element of gradients in place to between -clip_value and clip_value.

    The semantics of ``torch.nn.utils.clip_grad_value_``; NaN stays.

    Parameters
    ----------
    grads : ndarray or list of ndarray
        Of float32 or float64, any shapes and strides, writeable; None is left out.
    clip_value : float
        At least 0.
    n_threads : int, optional
        Threads for this call; see `set_num_threads`.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, a gradient is read-only, or gradients overlap. Nothing
        is changed then.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> gradient = np.array([3.0, -0.5, -2.0])
    >>> fl.optim.clip_grad_value(gradient, 1.0)
    >>> gradient
    array([ 1. , -0.5, -1. ])
    """
    cdef double numbers[FL_OPTIM_NUMBERS]
    memset(numbers, 0, sizeof(numbers))
    numbers[0] = _number("clip_value", clip_value, False)
    _gradients(grads, FL_OPTIM_clamp, numbers).run(n_threads)
