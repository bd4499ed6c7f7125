"""Arrays as the kernels see them: what is given is described or refused, outputs too."""

import warnings

import numpy as np

cimport numpy as cnp
from libc.math cimport INFINITY
from numpy cimport ndarray

from fastloss.kernels cimport *

cnp.import_array()

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


cdef int _dtype_code(ndarray array) noexcept:
    cdef int number = cnp.PyArray_TYPE(array), size = cnp.PyArray_ITEMSIZE(array)
    if number == cnp.NPY_FLOAT64:
        return FL_DTYPE_FLOAT64
    if number == cnp.NPY_FLOAT32:
        return FL_DTYPE_FLOAT32
    if number == cnp.NPY_BOOL:
        return FL_DTYPE_BOOL
    if number == cnp.NPY_FLOAT16:
        return FL_DTYPE_FLOAT16
    # C's integer types by their size, which differs between platforms
    if cnp.PyTypeNum_ISSIGNED(number):
        return (
            FL_DTYPE_INT8 if size == 1 else FL_DTYPE_INT16 if size == 2
            else FL_DTYPE_INT32 if size == 4 else FL_DTYPE_INT64
        )
    if cnp.PyTypeNum_ISUNSIGNED(number):
        return (
            FL_DTYPE_UINT8 if size == 1 else FL_DTYPE_UINT16 if size == 2
            else FL_DTYPE_UINT32 if size == 4 else FL_DTYPE_UINT64
        )
    return -1


def refuse_masked(values, str argument not None):
    """
    Name the first masked entry of a masked array, whose number nobody is to see.

    Parameters
    ----------
    values : object
        What was given: anything.
    argument : str
        Its name, for the error.
    """
    if not cnp.PyArray_Check(values) or not hasattr(values, "mask"):
        return
    masked = np.argwhere(np.ma.getmaskarray(values))
    if len(masked):
        index = ", ".join(str(i) for i in masked[0])
        raise ValueError(
            f"{argument}{f'[{index}]' if index else ''} is masked: expected an array without masked "
            "entries; fill them, and let a sample_weight of 0 leave them out"
        )


cdef ndarray converted_values(object values, str argument):
    refuse_masked(values, argument)
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
    out.dtype = _dtype_code(array)
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


cdef ndarray checked_out(
    object out, str argument, ndarray prototype, str prototype_name, bint narrow=False
):
    """
    An output array that the caller provided, or an error that names what is wrong with it.

    With `narrow` it may be of float32 where the prototype is of float64.
    """
    if not cnp.PyArray_Check(out):
        raise TypeError(f"{argument}: expected a NumPy array, got {type(out).__name__}")
    if not PyArray_CheckExact(out):
        refuse_masked(out, argument)
    cdef ndarray array = <ndarray>out
    if cnp.PyArray_TYPE(array) != cnp.PyArray_TYPE(prototype) and not (
        narrow and cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
        and cnp.PyArray_TYPE(prototype) == cnp.NPY_FLOAT64
    ):
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


def array_of(values, str argument not None):
    """
    Return numbers as an array of their own dtype, for what is written in Python.

    Parameters
    ----------
    values : array-like
        Numbers; masked arrays without masked entries.
    argument : str
        Their name, for the error.

    Returns
    -------
    ndarray
        `values`, or what NumPy makes of them.
    """
    array = as_values(values, argument)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{argument} has dtype {array.dtype}: expected numbers")
    return array


def own_rows(values, str argument not None, Py_ssize_t n, str what not None):
    """
    Return numbers of rows as int64, in memory of their own: what becomes an index stays as checked.

    Parameters
    ----------
    values : array-like of int, one dimension
        Each from 0 to n - 1.
    argument, what : str
        Their name, and what each of them is, for errors.
    n : int
        How many rows there are.

    Raises
    ------
    TypeError, ValueError
        If they are no integers, of another shape, or beyond.
    """
    cdef ndarray given = array_of(values, argument), rows
    if cnp.PyArray_NDIM(given) != 1:
        raise ValueError(f"{argument} has shape {(<object>given).shape}: expected one dimension")
    if cnp.PyArray_SIZE(given) and given.dtype.kind not in "iu":
        raise TypeError(f"{argument} has dtype {given.dtype}: expected integers")
    rows = np.array(given, np.int64)
    if cnp.PyArray_SIZE(rows) and ((<object>rows).min() < 0 or (<object>rows).max() >= n):
        i = int(np.flatnonzero(((<object>rows) < 0) | ((<object>rows) >= n))[0])
        raise ValueError(f"{element(argument, given, i)}: expected {what} 0 to {n - 1}")
    return rows


def share_memory(ndarray a not None, ndarray b not None):
    """Tell whether two arrays overlap, or might: the question can be hard."""
    return bool(overlaps(a, b))


cdef bint outgrows_float32(values) except -1:
    """Whether one of a kernel's constants would be 0, short of digits or infinite as a float32."""
    cdef double size
    for value in values:
        size = abs(<double>value)
        if 0.0 < size < 2.0**-126 or 3.4028234663852886e38 < size < INFINITY:
            return True
    return False
