"""The vector math library over arrays: inverse links, and each function for the tests."""

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *

cnp.import_array()

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
        kernels().read[precision](source, start, n, x)
    if function == NULL:
        kernels().write[precision](place, start, n, values)
        return
    if place.contiguous:
        to = place.data + start * place.itemsize
    function(values, to, n)
    if not place.contiguous:
        kernels().write[precision](place, start, n, y)


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
        function = kernels().unary[link][precision]
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
    cdef ndarray array = np.require(x, requirements=["C", "A"])
    cdef int precision = precision_of(array, "x")
    cdef ndarray out = np.empty_like(array)
    cdef int i
    for i in range(FL_N_UNARY):
        if fl_unary_names[i].decode() == name:
            kernels().unary[i][precision](
                cnp.PyArray_DATA(array), cnp.PyArray_DATA(out), cnp.PyArray_SIZE(array)
            )
            return out
    names = ", ".join(fl_unary_names[i].decode() for i in range(FL_N_UNARY))
    raise ValueError(f"name = {name!r}: expected one of {names}")


def apply_pow(x, y):
    """Return x ** y, element by element, by the vector math library; both of one shape and dtype."""
    cdef ndarray base = np.require(x, requirements=["C", "A"])
    cdef ndarray exponent = np.require(y, base.dtype, ["C", "A"])
    cdef int precision = precision_of(base, "x")
    cdef ndarray out = np.empty_like(base)
    if not same_shape(base, exponent):
        raise ValueError(f"y has shape {y.shape}: expected {x.shape}, that of x")
    kernels().pow[precision](
        cnp.PyArray_DATA(base), cnp.PyArray_DATA(exponent), cnp.PyArray_DATA(out),
        cnp.PyArray_SIZE(base),
    )
    return out
