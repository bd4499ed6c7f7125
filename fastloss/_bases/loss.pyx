"""What every loss is: a class, and parameters that it is known by."""

import inspect


cdef class Loss:
    """Base of the bases of all losses: parameters, equality, hash, repr and pickle."""

    @property
    def params(self):
        """The parameters by name, as a new dict."""
        return dict(self._params or ())

    def __repr__(self):
        inside = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"{type(self).__name__}({inside})"

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        return self.params == other.params

    def __hash__(self):
        return hash((type(self), tuple(self.params.items())))

    def __reduce__(self):
        return _rebuild, (type(self), self.params), self.__getstate__()


def _rebuild(cls, params):
    """Return the copied or unpickled loss. The attributes that a subclass adds come as state."""
    loss = cls.__new__(cls)
    _initialiser(cls, params)(loss, **params)
    return loss


def _initialiser(cls, params):
    """Return the first __init__ that takes the parameters: a subclass's own may want something else."""
    for base in cls.__mro__:
        if base.__module__.startswith("fastloss._bases"):  # what parameters mean is told by no base
            break
        init = vars(base).get("__init__")
        if init is not None and issubclass(base, Loss):  # a class that is mixed in makes no loss
            try:
                inspect.signature(init).bind(None, **params)
            except (TypeError, ValueError):  # or it has no signature
                continue
            return init
    raise TypeError(
        f"{cls.__name__} cannot be copied: its __init__ does not take its parameters, "
        f"{', '.join(params) or 'none'}"
    )
