# Arguments and outputs: from Python objects to what kernels read and write, or an error.
cimport numpy as cnp
from numpy cimport ndarray

from fastloss.kernels cimport FL_F32, FL_F64, FlArray

cdef extern from "numpy/arrayobject.h":
    # Cython's own declarations of these would cost a Python call or a signed-ness warning
    bint PyArray_CheckExact(object) noexcept
    bint PyArray_ISNOTSWAPPED(ndarray) noexcept
    bint PyArray_CHKFLAGS(ndarray, int) noexcept

cdef enum:
    REDUCTION_MEAN
    REDUCTION_SUM
    REDUCTION_NONE

cdef int describe(ndarray array, str argument, int precision, FlArray* out) except -1
cdef str element(str argument, ndarray array, Py_ssize_t flat_index)
cdef int warn_empty(str what) except -1

cdef bint same_memory(ndarray a, ndarray b) noexcept
cdef void extent(ndarray array, size_t* low, size_t* high) noexcept
cdef bint overlaps(ndarray a, ndarray b) except -1
cdef ndarray new_like(ndarray prototype)
cdef ndarray checked_out(
    object out, str argument, ndarray prototype, str prototype_name, bint narrow=*
)
cdef bint outgrows_float32(values) except -1
cdef int refuse_overlap(ndarray out, str argument, object other, str other_name) except -1

# the rest of the functions below, for what is rare
cdef int asked_reduction(object reduction) except -1
cdef ndarray converted_values(object values, str argument)
cdef ndarray converted_prediction(object raw_prediction, str argument)
cdef int refuse_precision(ndarray array, str argument) except -1


cdef inline int reduction_code(object reduction) except -1:
    if reduction is "mean":
        return REDUCTION_MEAN
    if reduction is "sum":
        return REDUCTION_SUM
    if reduction is "none":
        return REDUCTION_NONE
    return asked_reduction(reduction)


cdef inline ndarray as_values(object values, str argument):
    """Any real array-like as an ndarray of its own dtype, without a copy of an ndarray."""
    return <ndarray>values if PyArray_CheckExact(values) else converted_values(values, argument)


cdef inline ndarray as_prediction(object raw_prediction, str argument):
    """As as_values; Python's own integers become float64, an integer array stays (and is refused)."""
    if PyArray_CheckExact(raw_prediction):
        return <ndarray>raw_prediction
    return converted_prediction(raw_prediction, argument)


cdef inline int precision_of(ndarray array, str argument) except -1:
    cdef int type_number = cnp.PyArray_TYPE(array)
    if type_number == cnp.NPY_FLOAT64:
        return FL_F64
    if type_number == cnp.NPY_FLOAT32:
        return FL_F32
    return refuse_precision(array, argument)


cdef inline Py_ssize_t size_of(ndarray array) noexcept:
    """The number of elements; NumPy's own macro is a call."""
    cdef int axis
    cdef Py_ssize_t n = 1
    for axis in range(cnp.PyArray_NDIM(array)):
        n *= cnp.PyArray_DIM(array, axis)
    return n


cdef inline bint same_shape(ndarray a, ndarray b) noexcept:
    cdef int axis, ndim = cnp.PyArray_NDIM(a)
    if cnp.PyArray_NDIM(b) != ndim:
        return False
    for axis in range(ndim):
        if cnp.PyArray_DIM(a, axis) != cnp.PyArray_DIM(b, axis):
            return False
    return True


cdef inline bint apart(ndarray a, ndarray b, Py_ssize_t n) noexcept:
    """Whether arrays of n elements clearly share no memory: contiguous and not meeting, or None."""
    if a is None or b is None:
        return True
    if not (
        PyArray_CHKFLAGS(a, cnp.NPY_ARRAY_C_CONTIGUOUS)
        and PyArray_CHKFLAGS(b, cnp.NPY_ARRAY_C_CONTIGUOUS)
    ):
        return False
    return (
        cnp.PyArray_BYTES(a) + n * cnp.PyArray_ITEMSIZE(a) <= cnp.PyArray_BYTES(b)
        or cnp.PyArray_BYTES(b) + n * cnp.PyArray_ITEMSIZE(b) <= cnp.PyArray_BYTES(a)
    )
