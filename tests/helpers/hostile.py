"""Arrays that a call may be given by mistake or by malice, and what must hold of the call."""

import ctypes
import mmap
import sys
import warnings

import numpy as np

from helpers.arrays import LAYOUTS

PAGE = mmap.PAGESIZE
VALUES = [np.nan, np.inf, -np.inf, -1.0, -0.0, 0.5, 1e-320, 1e300, 2.0**31, 2.0**63, 2.0**64]
DTYPES = "?bBhHiIlLqQefdgFDSUOMmV"
STRUCTURED = np.dtype([("a", "f8"), ("b", "i4")])


class Liar:
    """An array-like whose conversion fails, or gives what it did not promise."""

    def __init__(self, what):
        self.what = what
        self.dtype = np.dtype(np.float64)
        self.shape = (3,)

    def __array__(self, dtype=None, copy=None):
        if self.what == "raises":
            raise ValueError("no array today")
        return np.array(["a"]) if self.what == "text" else np.zeros((2, 0))


def guarded(values):
    """A writeable copy that ends where memory may not be read, where there is such a thing."""
    values = np.asarray(values)
    if sys.platform != "linux" or values.dtype.hasobject or not values.nbytes:
        return values.copy()
    size = -(-values.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, size + PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), PAGE, 0) == 0
    array = np.frombuffer(memory, np.uint8, values.nbytes, size - values.nbytes)
    array = array.view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def arranged(rng, values, writeable=False):
    """The same numbers in memory of any kind, perhaps not to be written."""
    values = np.asarray(values)
    kind = rng.integers(0, 6)
    if kind == 0:
        return guarded(values)
    if kind == 1 and values.ndim and values.size:  # far apart, in memory that is never touched
        step = 1 << int(rng.integers(8, 18))
        large = np.zeros(values.size * step + 8, values.dtype)
        view = large[: values.size * step : step].reshape(values.shape)
        view[...] = values
        return view
    if (
        kind == 2 and not writeable and values.size and values.dtype.kind != "V"
    ):  # an axis that is stored once, where that is the same
        once = values[:1] if values.ndim else values
        if (values == once).all():
            return np.broadcast_to(once, values.shape)
    array = LAYOUTS[rng.choice(sorted(LAYOUTS))](values)
    if not writeable and rng.random() < 0.3:
        array.flags.writeable = False
    return array


def of_other_shape(rng, values):
    kind = rng.integers(0, 9)
    if kind == 0:
        return values[..., None]
    if kind == 1:
        return values[None]
    if kind == 2:
        return values.ravel()[:0]
    if kind == 3 and values.ndim:
        return values[:0]
    if kind == 4:
        return values.ravel()[0] if values.size else values
    if kind == 5:
        return values.T
    if kind == 6:
        return values.ravel()
    if kind == 7:
        return np.concatenate([values, values]) if values.ndim else values
    return values[:-1] if values.ndim else values[None]


def of_other_dtype(rng, values):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = rng.integers(0, 12)
        if kind == 0:
            return np.zeros(values.shape, STRUCTURED)
        if kind == 1:
            return values.astype(object)
        dtype = rng.choice(list(DTYPES))
        try:
            return values.astype(dtype)
        except (TypeError, ValueError):
            return np.zeros(values.shape, dtype)


def of_other_values(rng, values):
    if values.dtype.kind not in "iuf" or not values.size:
        return values
    changed = values.astype(np.float64) if rng.random() < 0.7 else values.copy()
    flat = changed.reshape(-1)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(rng.integers(1, 4)):
            value = np.float64(rng.choice(VALUES))
            flat[rng.integers(0, flat.size)] = value.astype(flat.dtype)
    return changed


def no_array(rng, values):
    kind = rng.integers(0, 12)
    if kind < 3:
        return values.tolist()
    things = [
        None,
        "text",
        b"bytes",
        {"a": 1},
        object(),
        [1.0, [2.0]],
        True,
        3,
        1.5,
        1j,
        Liar("raises"),
        Liar("text"),
        Liar("empty"),
        np.ma.masked_array(values, mask=np.ones(values.shape, bool)),
        np.ma.masked_array(values),
        np.ma.masked,
        memoryview(np.zeros(3)),
        [],
        [[]],
        range(3),
        (x for x in range(3)),
        10**400,
        [10**400],
        np.datetime64("NaT"),
    ]
    return things[rng.integers(0, len(things))]


def hostile(rng, values, dose, writeable=False):
    """Perhaps the same numbers in other memory, perhaps something else."""
    if writeable and rng.random() < dose:
        writeable = False
    values = np.asarray(values)
    if rng.random() < dose:
        change = (of_other_shape, of_other_dtype, of_other_values, no_array)[rng.integers(0, 4)]
        values = change(rng, values)
        if type(values) is not np.ndarray or values.dtype.hasobject:
            return values
    return arranged(rng, values, writeable) if rng.random() < 0.8 else values


def option(rng, good, dose):
    """One of the good values, or anything."""
    if rng.random() >= dose:
        return good[rng.integers(0, len(good))]
    things = [
        None, "", "text", -1, 0, 1.5, np.nan, np.inf, True, 10**30, -(10**30), [], (), {}, b"mean",
        1j, np.float32(0.5), np.int8(-3), np.array(2), np.zeros(2), object(), ("mean",),
    ]  # fmt: skip
    return things[rng.integers(0, len(things))]


def fingerprint(value):
    """What an argument holds, to see whether a call changed it."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return np.asarray(value).tobytes()
    return None


class Refused(Exception):
    """The call ended in an error that it should have ended in."""


def called(function, *args, written=(), **kwargs):
    """
    Return what a call returns; raise Refused if it was refused in a good way.

    An error is a TypeError or ValueError of some words; arguments but those in `written` stay.
    """
    inputs = [*args, *kwargs.values()]
    before = [fingerprint(value) for value in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # these are documented
        warnings.filterwarnings("ignore", "mean of ")
        try:
            result = function(*args, **kwargs)
        except (TypeError, ValueError) as error:
            if len(str(error)) > 8:
                raise Refused(str(error)) from error
            raise AssertionError(f"no words: {error!r}") from error
        finally:
            for value, was in zip(inputs, before, strict=True):
                if not any(value is place for place in written):
                    assert fingerprint(value) == was, "an input was changed"
    return result
