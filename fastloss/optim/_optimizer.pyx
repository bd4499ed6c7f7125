"""What every optimizer is: its state, position by position, and its compiled steps."""

import math

import numpy as np

from fastloss._core.arrays import own_rows
from fastloss._core.runtime import as_index
from fastloss.optim._settings import checked_rate

cimport numpy as cnp
from libc.stdlib cimport free, realloc
from numpy cimport ndarray

from fastloss._core.arrays cimport *
from fastloss._core.runtime cimport *
from fastloss.kernels cimport *
from fastloss.optim._positions cimport Position, Positions
from fastloss.optim._row_steps cimport run_rows
from fastloss.optim._slot cimport Slot, checked_count, loaded_slot, new_slot, saved_slot

cnp.import_array()

# name: (kernel, {state: the bit of a variant that needs it, 0 for all})
KERNELS = {
    "sgd": (FL_OPTIM_sgd, {0: FL_SGD_MOMENTUM}),
    "adam": (FL_OPTIM_adam, {0: 0, 1: 0, 2: FL_ADAM_AMSGRAD}),
    "adagrad": (FL_OPTIM_adagrad, {0: 0}),
    "rmsprop": (FL_OPTIM_rmsprop, {0: 0, 1: FL_RMSPROP_CENTERED, 2: FL_RMSPROP_MOMENTUM}),
    "ftrl": (FL_OPTIM_ftrl, {0: 0, 1: 0}),
}
DECAY = FL_DECAY
SGD_MOMENTUM, SGD_NESTEROV, SGD_FIRST = FL_SGD_MOMENTUM, FL_SGD_NESTEROV, FL_SGD_FIRST
ADAM_AMSGRAD = FL_ADAM_AMSGRAD
RMSPROP_CENTERED, RMSPROP_MOMENTUM = FL_RMSPROP_CENTERED, FL_RMSPROP_MOMENTUM
FTRL_REBASE = FL_FTRL_REBASE
EARLIER = "the steps before"


cdef class Optimizer:
    """
    The base of all optimizers: keeps their state, checks arrays and runs the compiled steps.

    Derived classes name a kernel and its states and prepare its numbers; they are what is used.
    """

    cdef int _kernel
    cdef int _variant        # of every step
    cdef int _first          # besides, where a position has no step behind it
    cdef int _rebase         # besides, where its states must be taken from the parameters
    cdef dict _settings
    cdef tuple _state_names
    cdef double _initial     # what state 0 begins with
    cdef object _lr
    cdef list _slots
    cdef Py_ssize_t _count   # of arrays in the first step; -1 before
    cdef Positions _positions
    cdef double* _numbers_of
    cdef Py_ssize_t _capacity
    cdef bint _busy

    def __cinit__(self, *args, **kwargs):
        self._numbers_of = NULL
        self._capacity = 0
        self._settings = None

    def __init__(self, kernel, settings, states, *, variant=0, first=0, rebase=0, initial=0.0):
        if type(self) is Optimizer:
            raise TypeError("Optimizer is the base of all optimizers: use SGD, Adam or another")
        names = tuple(states) + (None,) * (FL_OPTIM_STATES - len(states))
        self._kernel, needed = KERNELS[kernel]
        for k, bit in needed.items():
            if (bit == 0 or (variant | first) & bit) and names[k] is None:
                raise ValueError(f"states = {states!r}: {kernel} needs a name for number {k}")
        if not hasattr(self, "_numbers"):
            raise TypeError(
                f"{type(self).__name__} has no method _numbers(step, lr): expected one that returns "
                "the numbers of the kernel"
            )
        self._settings = dict(settings)
        self._lr = settings["lr"]
        self._state_names = names
        self._variant, self._first, self._rebase = variant, first, rebase
        self._initial = initial
        self._slots = []
        self._count = -1
        self._positions = Positions()

    def __dealloc__(self):
        free(self._numbers_of)

    # ---------------------------------------------------------------- settings

    @property
    def settings(self):
        """The arguments that the optimizer was made with, as a new dict; lr as it is now."""
        return {**self._settings, "lr": self._lr}

    @property
    def lr(self):
        """The learning rate: a number of at least 0, or a schedule."""
        return self._lr

    @lr.setter
    def lr(self, value):
        cdef Slot slot
        value = checked_rate("lr", value)
        if self._rebase and value != self._lr:
            for each in self._slots:
                if each is not None:
                    slot = <Slot>each
                    slot.rebased = True
        self._lr = value

    def __repr__(self):
        inside = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        return f"{type(self).__name__}({inside})"

    # ---------------------------------------------------------------- what a derived class tells

    def _row_numbers(self, step, lr):
        """The numbers of the kernel for single rows; those of step 1, 2, ... by default."""
        return self._numbers(step, lr)

    def _step_numbers(self, first, rates):
        """The numbers of the kernel of the steps from number `first` on, of these rates, row by row."""
        rows = np.zeros((len(rates), FL_OPTIM_NUMBERS))
        for row, (step, rate) in zip(rows, enumerate(rates, first)):
            prepared = self._numbers(step, rate)
            row[:len(prepared)] = prepared
        return rows

    @property
    def _recipe(self):
        """The kernel, its states' names, its variants (see above), and what state 0 begins with."""
        variants = self._variant, self._first, self._rebase
        return self._kernel, self._state_names, variants, self._initial

    cpdef double _rate(self, Py_ssize_t steps) except? -1.0:
        if not callable(self._lr):
            return self._lr
        rate = self._lr(steps)
        try:
            result = float(rate)
        except (TypeError, ValueError):
            raise TypeError(f"lr({steps}) = {rate!r}: expected a number") from None
        if not (math.isfinite(result) and result >= 0):
            raise ValueError(f"lr({steps}) = {rate!r}: expected a finite number of at least 0")
        return result

    cdef int _fill(self, double* numbers, Py_ssize_t steps, bint of_rows) except -1:
        cdef int k = 0
        rate = self._rate(steps)
        prepared = self._row_numbers(steps + 1, rate) if of_rows else self._numbers(steps + 1, rate)
        for number in prepared[:FL_OPTIM_NUMBERS]:
            numbers[k] = number
            k += 1
        while k < FL_OPTIM_NUMBERS:
            numbers[k] = 0.0
            k += 1
        return 0

    # ---------------------------------------------------------------- state

    cdef int _check_param(self, object param, str argument, Slot slot) except -1:
        if not cnp.PyArray_Check(param):
            raise TypeError(f"{argument}: expected a NumPy array, got {type(param).__name__}")
        precision_of(<ndarray>param, argument)
        if slot is None:
            checked_out(param, argument, <ndarray>param, "itself")
        else:
            checked_out(param, argument, slot.like, EARLIER)
        return 0

    def step(self, params, grads, *, n_threads=None):
        """
        Update parameters in place by one step, in one compiled pass over all of them.

        Parameters
        ----------
        params : ndarray or list of ndarray
            Of float32 or float64, any shapes and strides, writeable; updated in place. In later
            steps as many, of the same shapes and dtypes in the same order: the state belongs to
            the position.
        grads : array-like or list
            As many gradients, each of its parameter's shape and dtype, left as they are; None
            where there is none: that parameter and its state stay as they are.
        n_threads : int, optional
            Threads for this call; see `set_num_threads`.

        Raises
        ------
        TypeError, ValueError
            If a number of arrays, a dtype or a shape is wrong, a parameter is read-only, or arrays
            overlap. Nothing is changed then.
        """
        cdef Positions positions = self._positions
        cdef Position* position
        cdef tuple ps, gs
        cdef list slots, updated = []
        cdef ndarray param, grad
        cdef Slot slot
        cdef Py_ssize_t i, count, n_numbers = 0, last = -1
        cdef double* numbers = NULL
        cdef int variant
        self._enter()
        try:
            gs = () if cnp.PyArray_Check(params) else positions.arrays(grads, "grads")
            ps = positions.arrays(params, "params")
            if positions.single:
                gs = (grads,)
            count = len(ps)
            if len(gs) != count:
                raise ValueError(
                    f"grads has {len(gs)} arrays, params has {count}: expected one gradient (or "
                    "None) a parameter"
                )
            if self._count >= 0 and count != self._count:
                raise ValueError(
                    f"params has {count} arrays: expected {self._count}, as in {EARLIER}"
                )
            slots = self._slots
            if len(slots) != count:
                if len(slots) > count:
                    raise ValueError(
                        f"params has {count} arrays: expected at least {len(slots)}, the positions "
                        "that have a state"
                    )
                slots = slots + [None] * (count - len(slots))
            positions.begin(count)
            self._reserve(count)
            checked = None
            for i in range(count):
                slot = <Slot>slots[i]
                value = ps[i]
                if not (
                    slot is not None and PyArray_CheckExact(value)
                    and cnp.PyArray_TYPE(<ndarray>value) == cnp.PyArray_TYPE(slot.like)
                    and same_shape(<ndarray>value, slot.like)
                    and PyArray_CHKFLAGS(
                        <ndarray>value, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_WRITEABLE
                    )
                ):
                    self._check_param(value, positions.label("params", i), slot)
                param = <ndarray>value
                value = gs[i]
                if value is None:
                    continue
                if not (
                    PyArray_CheckExact(value)
                    and cnp.PyArray_TYPE(<ndarray>value) == cnp.PyArray_TYPE(param)
                    and same_shape(<ndarray>value, param)
                ):
                    value = checked_grad(
                        value, positions.label("grads", i), param, positions.label("params", i)
                    )
                    if checked is None:
                        checked = list(gs)
                    checked[i] = value  # kept alive
                grad = <ndarray>value
                if slot is None:
                    slot = new_slot(param, self._state_names, self._initial)
                    if slots is self._slots:
                        slots = list(slots)
                    slots[i] = slot
                position = positions.add(param, grad, slot.states, self._kernel)
                if slot.steps != last:
                    last = slot.steps
                    numbers = &self._numbers_of[n_numbers]
                    n_numbers += FL_OPTIM_NUMBERS
                    self._fill(numbers, last, False)
                variant = self._variant
                if last == 0:
                    variant |= self._first
                if self._rebase and (slot.rebased or last == 0 or callable(self._lr)):
                    variant |= self._rebase
                position.block.numbers = numbers
                position.block.variant = variant
                updated.append(slot)
            positions.refuse_overlaps(ps, "params")
            for i in range(count):
                value = gs[i] if checked is None else checked[i]
                if value is not None:
                    positions.refuse_meeting(<ndarray>value, i, "grads", ps, "params")
            positions.run(n_threads)
            self._slots, self._count = slots, count
            for slot in updated:
                slot.steps += 1
        finally:
            self._busy = False

    def step_rows(self, param, rows, grads, *, position=0, n_threads=None):
        """
        Update single rows of a parameter, and of its state, in place.

        Rows that are not named stay as they are, as does their state: moving averages do not decay
        and no weight decay applies. A row that is named more than once is updated once, with the sum
        of its gradients.

        Parameters
        ----------
        param : ndarray of shape (n_rows, ...)
            Of float32 or float64, any strides, writeable; updated in place.
        rows : array-like of int, shape (k,)
            From 0 to n_rows - 1, in any order.
        grads : array-like of shape (k, ...)
            The gradient of each row named, of param's dtype. Left as it is.
        position : int
            Whose state: that of the parameter of this place in the list of `step`.
        n_threads : int, optional
            Threads for this call; see `set_num_threads`.

        Raises
        ------
        TypeError, ValueError
            If a dtype, shape or row is wrong, `param` is read-only, or arrays overlap. Nothing is
            changed then.
        """
        cdef Slot slot = None
        cdef ndarray p, g, named
        cdef FlOptimBlock block
        cdef double numbers[FL_OPTIM_NUMBERS]
        cdef Py_ssize_t place
        position = as_index(position, "position", "an integer of at least 0")
        if not 0 <= position < 2**31 or (self._count >= 0 and position >= self._count):
            most = "" if self._count < 0 else f" and less than {self._count}, the arrays of a step"
            raise ValueError(f"position = {position}: expected an integer of at least 0{most}")
        place = position
        self._enter()
        try:
            if place < len(self._slots):
                slot = <Slot>self._slots[place]
            self._check_param(param, "param", slot)
            p = <ndarray>param
            if cnp.PyArray_NDIM(p) == 0:
                raise ValueError("param has shape (): expected at least one dimension, that of rows")
            named = own_rows(rows, "rows", cnp.PyArray_DIM(p, 0), "a row of param, from")
            g = as_values(grads, "grads")
            if cnp.PyArray_TYPE(g) != cnp.PyArray_TYPE(p):
                raise TypeError(
                    f"grads has dtype {g.dtype}: expected {p.dtype.newbyteorder('=')}, that of param"
                )
            wanted = (size_of(named), *param.shape[1:])
            if (<object>g).shape != wanted:
                raise ValueError(
                    f"grads has shape {(<object>g).shape}: expected {wanted}, a gradient for each "
                    "entry of rows"
                )
            refuse_overlap(p, "param", g, "grads")
            if cnp.PyArray_Check(rows):
                refuse_overlap(p, "param", rows, "rows")
            if slot is None:
                slot = new_slot(p, self._state_names, self._initial)
            self._fill(numbers, slot.steps, True)
            block.numbers = numbers
            # a buffer begins at zeros, row by row; z is current where its row was named before
            block.variant = self._variant | self._rebase
            run_rows(p, named, g, slot.states, self._kernel, &block, n_threads)
            slot.steps += 1
            slot.rebased = True
            if place >= len(self._slots):
                self._slots = self._slots + [None] * (place + 1 - len(self._slots))
            self._slots[place] = slot
        finally:
            self._busy = False

    cdef int _enter(self) except -1:
        if self._settings is None:
            raise TypeError(f"{type(self).__name__}: __init__ of the base class was not called")
        if self._busy:
            raise RuntimeError("this optimizer is in the middle of a step")
        self._busy = True
        return 0

    cdef int _reserve(self, Py_ssize_t count) except -1:
        cdef void* numbers
        if count > self._capacity:
            numbers = realloc(self._numbers_of, count * FL_OPTIM_NUMBERS * sizeof(double))
            if numbers == NULL:
                raise MemoryError
            self._numbers_of = <double*>numbers
            self._capacity = count
        return 0

    # ---------------------------------------------------------------- saving

    def state_dict(self):
        """
        Return everything that the next step depends on, as copies.

        Returns
        -------
        dict
            ``settings`` (dict): the arguments of the class; ``count`` (int or None): the number of
            arrays of a step; ``state`` (dict): for each position that has been updated, ``step``
            (int) and the arrays by the names that torch gives them.
        """
        self._enter()
        try:
            state = {
                position: saved_slot(slot, self._state_names, self._rebase != 0)
                for position, slot in enumerate(self._slots)
                if slot is not None
            }
        finally:
            self._busy = False
        return {
            "settings": self.settings,
            "count": None if self._count < 0 else self._count,
            "state": state,
        }

    def load_state_dict(self, state_dict):
        """
        Take over settings and state from what `state_dict` returned.

        Parameters
        ----------
        state_dict : dict
            Of an optimizer of the same class. Its arrays are copied.

        Raises
        ------
        TypeError, ValueError
            If anything in it does not fit. Nothing is changed then.
        """
        cdef Optimizer other
        cdef Slot slot
        if not isinstance(state_dict, dict) or not {"settings", "count", "state"} <= set(state_dict):
            raise ValueError("state_dict: expected a dict with 'settings', 'count' and 'state'")
        for name in ("settings", "state"):
            if not isinstance(state_dict[name], dict):
                raise TypeError(f"state_dict: {name} = {state_dict[name]!r}: expected a dict")
        settings = state_dict["settings"]
        if set(settings) != set(self._settings):
            raise ValueError(
                f"state_dict has the settings {', '.join(settings)}: expected "
                f"{', '.join(self._settings)}, those of {type(self).__name__}"
            )
        other = type(self)(**settings)
        slots = []
        for position in state_dict["state"]:
            if checked_count(position, "state_dict: position") >= 2**31:
                raise ValueError(f"state_dict: position = {position}: expected less than 2**31")
        for position, entry in sorted(state_dict["state"].items()):
            slot = loaded_slot(position, entry, other._state_names, other._rebase != 0)
            slots += [None] * (position - len(slots)) + [slot]
        count = state_dict["count"]
        if count is not None and checked_count(count, "state_dict: count") < len(slots):
            raise ValueError(f"state_dict: count = {count}: expected at least {len(slots)}")
        self._enter()
        try:
            self._take(other)
            self._slots = slots
            self._count = -1 if count is None else count
        finally:
            self._busy = False

    cdef int _take(self, Optimizer other) except -1:
        self._settings, self._lr = other._settings, other._lr
        self._state_names, self._initial = other._state_names, other._initial
        self._variant, self._first, self._rebase = other._variant, other._first, other._rebase
        return 0

    def __reduce__(self):
        return _restored, (type(self), self.state_dict())


def _restored(cls, state_dict):
    optimizer = cls(**state_dict["settings"])
    optimizer.load_state_dict(state_dict)
    return optimizer


cdef ndarray checked_grad(object grad, str argument, ndarray param, str param_name):
    cdef ndarray array = as_values(grad, argument)
    if cnp.PyArray_TYPE(array) != cnp.PyArray_TYPE(param):
        raise TypeError(
            f"{argument} has dtype {array.dtype}: expected {param.dtype.newbyteorder('=')}, that of "
            f"{param_name}"
        )
    if not same_shape(array, param):
        raise ValueError(
            f"{argument} has shape {(<object>array).shape}, {param_name} has shape "
            f"{(<object>param).shape}: they must be equal"
        )
    return array
