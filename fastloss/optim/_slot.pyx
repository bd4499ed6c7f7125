"""What an optimizer keeps of one position in the list of parameters: made, saved and loaded."""

import numpy as np

from fastloss._core.arrays import array_of
from fastloss._core.runtime import as_index

cimport cython
cimport numpy as cnp
from numpy cimport ndarray

from fastloss._core.arrays cimport PyArray_CHKFLAGS, precision_of

cnp.import_array()


@cython.auto_pickle(False)
cdef class Slot:
    pass


cdef Slot new_slot(ndarray param, tuple names, double initial):
    """The state before the first step: zeros, but for state 0."""
    cdef Slot slot = Slot()
    # big-endian arrays have states in the machine's order
    dtype = param.dtype.newbyteorder("=")
    shape = (<object>param).shape
    fortran = (
        PyArray_CHKFLAGS(param, cnp.NPY_ARRAY_F_CONTIGUOUS)
        and not PyArray_CHKFLAGS(param, cnp.NPY_ARRAY_C_CONTIGUOUS)
    )
    states = []
    for name in names:
        state = None if name is None else np.zeros(shape, dtype, order="F" if fortran else "C")
        states.append(state)
    if initial:
        states[0].fill(initial)
    slot.like = np.broadcast_to(np.zeros((), dtype), shape)
    slot.states = tuple(states)
    slot.steps = 0
    slot.rebased = False
    return slot


cdef dict saved_slot(Slot slot, tuple names, bint with_rebased):
    """Everything as copies, by the names that torch gives it."""
    like = <object>slot.like
    entry = {"step": slot.steps, "shape": like.shape, "dtype": like.dtype.name}
    if with_rebased:
        entry["rebased"] = bool(slot.rebased)
    for name, array in zip(names, slot.states, strict=True):
        if name is not None:
            entry[name] = array.copy(order="K")
    return entry


cdef Slot loaded_slot(object position, object entry, tuple names, bint with_rebased):
    """What saved_slot returned, copied; an error where it does not fit."""
    cdef Slot slot = Slot()
    if not isinstance(entry, dict):
        raise TypeError(f"state_dict: position {position} has {entry!r}: expected a dict")
    expected = {"step", "shape", "dtype"} | ({"rebased"} if with_rebased else set())
    expected.update(name for name in names if name is not None)
    if set(entry) != expected:
        raise ValueError(
            f"state_dict: position {position} has {', '.join(entry)}: expected "
            f"{', '.join(sorted(expected))}"
        )
    try:
        like = np.broadcast_to(np.zeros((), entry["dtype"]), tuple(entry["shape"]))
    except (TypeError, ValueError) as error:
        raise type(error)(f"state_dict: position {position}: {error}") from None
    precision_of(like, f"state_dict: position {position}")
    states = []
    for name in names:
        state = None
        if name is not None:
            values = array_of(entry[name], f"state_dict: {name} of position {position}")
            state = np.array(values, dtype=like.dtype, order="K", copy=True)
            if state.shape != like.shape:
                raise ValueError(
                    f"state_dict: {name} of position {position} has shape {state.shape}: expected "
                    f"{like.shape}"
                )
        states.append(state)
    slot.like = like
    slot.states = tuple(states)
    slot.steps = checked_count(entry["step"], f"state_dict: position {position} has step")
    slot.rebased = bool(entry.get("rebased", False))
    return slot


cdef Py_ssize_t checked_count(object value, str what) except -1:
    try:
        count = as_index(value, what, "an integer of at least 0")
    except TypeError as error:  # of a state, not of an argument
        raise ValueError(str(error)) from None
    if not 0 <= count < 2**63:
        raise ValueError(f"{what} = {value!r}: expected an integer of at least 0")
    return count
