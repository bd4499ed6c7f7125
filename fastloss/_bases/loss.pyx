"""What every loss is: a class, and parameters that it is known by."""


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
        return _rebuild, (type(self), self.params)


def _rebuild(cls, params):
    """Unpickle a loss."""
    return cls(**params)
