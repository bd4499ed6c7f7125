"""The same numbers in every kind of array that NumPy has."""

import numpy as np


def contiguous(values):
    return np.array(values, order="C")


def reversed_strides(values):
    return np.array(values[::-1], order="C")[::-1] if values.ndim else contiguous(values)


def every_axis_reversed(values):
    flip = (*[slice(None, None, -1)] * values.ndim, ...)
    return np.array(values[flip], order="C")[flip]


def sliced(values):
    """Every third element of a larger array, on every axis."""
    large = np.zeros(tuple(3 * n + 1 for n in values.shape), dtype=values.dtype)
    view = large[(*[slice(1, 3 * n + 1, 3) for n in values.shape], ...)]
    view[...] = values
    return view


def fortran(values):
    return np.array(values, order="F")


def transposed(values):
    """Axes in memory in a rotated order."""
    order = [*range(1, values.ndim), *range(min(values.ndim, 1))]
    return np.array(values.transpose(order), order="C").transpose(np.argsort(order).astype(int))


def swapped(values):
    return values.astype(values.dtype.newbyteorder("S"))


def unaligned(values):
    """One byte off any boundary."""
    raw = np.zeros(values.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(values.dtype).reshape(values.shape)
    view[...] = values
    return view


def field_of_a_record(values):
    record = np.zeros(values.shape, dtype=[("pad", "u1"), ("x", values.dtype), ("tail", "u2")])
    record["x"] = values
    return record["x"][...]


def swapped_and_sliced(values):
    return sliced(swapped(values))


LAYOUTS = {
    function.__name__: function
    for function in (
        contiguous,
        reversed_strides,
        every_axis_reversed,
        sliced,
        fortran,
        transposed,
        swapped,
        unaligned,
        field_of_a_record,
        swapped_and_sliced,
    )
}


def empty_like(layout, shape, dtype):
    """A writeable array in a layout, filled with a number that no result is."""
    return LAYOUTS[layout](np.full(shape, -77.25, dtype=dtype))
