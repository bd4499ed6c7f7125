"""
Learning rates that change: each object is a function of the number of steps already taken.

An optimizer whose ``lr`` is one of these, or any function of that kind, asks it before each update
with the number of updates that the parameter has behind it: 0, 1, 2, ...
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastloss._core.runtime import as_index
from fastloss.losses._parameters import between, nonnegative, one_of, positive, truth
from fastloss.optim._settings import Schedule, checked_rate


def _count(name: str, value: object) -> int:
    """Return an integer of at least 1."""
    number = as_index(value, name, "an integer of at least 1")
    if number < 1:
        raise ValueError(f"{name} = {number}: expected an integer of at least 1")
    return number


def _power(base: float, exponent: float) -> float:
    """Return a power as a float, also of integers whose power would fill the memory."""
    try:
        exponent = float(exponent)
    except OverflowError:
        exponent = math.inf
    try:
        base = float(base)
    except OverflowError:  # whose logarithm is a float none the less
        base, exponent = math.e, exponent * math.log(base)
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class Constant:
    """
    The same rate in every step.

    Parameters
    ----------
    lr : float
        At least 0.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.optim.Constant(0.1)(1000)
    0.1
    """

    lr: float

    def __post_init__(self) -> None:
        nonnegative("lr", self.lr)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        return float(self.lr)


@dataclass(frozen=True)
class InverseScaling:
    """
    A power of the number of steps: lr / (step + 1) ** power.

    Parameters
    ----------
    lr : float
        The rate of the first step, at least 0.
    power : float
        At least 0.

    Examples
    --------
    >>> import fastloss as fl
    >>> schedule = fl.optim.InverseScaling(1.0)
    >>> schedule(0), schedule(3)
    (1.0, 0.5)
    """

    lr: float
    power: float = 0.5

    def __post_init__(self) -> None:
        nonnegative("lr", self.lr)
        nonnegative("power", self.power)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        return float(self.lr) / _power(step + 1, self.power)


@dataclass(frozen=True)
class Cosine:
    """
    Half a cosine from lr down to a minimum, which then stays.

    The rates of ``torch.optim.lr_scheduler.CosineAnnealingLR`` up to its first minimum.

    Parameters
    ----------
    lr : float
        The rate of the first step, at least 0.
    n_steps : int
        After how many steps the minimum is reached.
    minimum : float
        At least 0.

    Examples
    --------
    >>> import fastloss as fl
    >>> schedule = fl.optim.Cosine(1.0, 100)
    >>> schedule(0), round(schedule(50), 6), schedule(100), schedule(200)
    (1.0, 0.5, 0.0, 0.0)
    """

    lr: float
    n_steps: int
    minimum: float = 0.0

    def __post_init__(self) -> None:
        nonnegative("lr", self.lr)
        _count("n_steps", self.n_steps)
        nonnegative("minimum", self.minimum)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        return _cosine(self.lr, self.minimum, min(step, self.n_steps) / self.n_steps)


@dataclass(frozen=True)
class Step:
    """
    A factor every so many steps: lr * factor ** (step // every).

    The rates of ``torch.optim.lr_scheduler.StepLR``.

    Parameters
    ----------
    lr : float
        The rate of the first step, at least 0.
    every : int
        Steps of one rate.
    factor : float
        At least 0.

    Examples
    --------
    >>> import fastloss as fl
    >>> schedule = fl.optim.Step(1.0, every=10, factor=0.5)
    >>> schedule(9), schedule(10), schedule(20)
    (1.0, 0.5, 0.25)
    """

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        nonnegative("lr", self.lr)
        _count("every", self.every)
        nonnegative("factor", self.factor)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        if self.lr == 0:  # also where the power is infinite
            return 0.0
        return float(self.lr) * _power(self.factor, step // self.every)


@dataclass(frozen=True)
class OneCycle:
    """
    Up to a maximum and down again, to far below the beginning (Smith and Topin, 2018).

    The rates of ``torch.optim.lr_scheduler.OneCycleLR``; the last one stays. The momentum is left
    alone.

    Parameters
    ----------
    max_lr : float
        The maximum, at least 0.
    n_steps : int
        The steps of the cycle.
    rise : float
        The fraction of the cycle in which the rate rises, between 0 and 1.
    div_factor : float
        The first rate is max_lr / div_factor.
    final_div_factor : float
        The last rate is the first over final_div_factor.
    anneal : {"cos", "linear"}
        The form of both ways.
    three_phase : bool
        Whether the fall takes as long as the rise and ends at the first rate; from there the rate
        goes to the last.

    Examples
    --------
    >>> import fastloss as fl
    >>> schedule = fl.optim.OneCycle(1.0, n_steps=101, rise=0.5)
    >>> round(schedule(0), 6), round(schedule(49), 2), round(schedule(100), 6)
    (0.04, 1.0, 4e-06)
    """

    max_lr: float
    n_steps: int
    rise: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    anneal: str = "cos"
    three_phase: bool = False

    def __post_init__(self) -> None:
        nonnegative("max_lr", self.max_lr)
        _count("n_steps", self.n_steps)
        between("rise", self.rise, 0, 1)
        positive("div_factor", self.div_factor)
        positive("final_div_factor", self.final_div_factor)
        one_of("anneal", self.anneal, ("cos", "linear"))
        truth("three_phase", self.three_phase)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        first = self.max_lr / self.div_factor
        last = first / self.final_div_factor
        end = self.n_steps - 1.0
        peak = self.rise * self.n_steps - 1
        phases = [(0.0, peak, first, self.max_lr)]
        if self.three_phase:
            back = 2 * self.rise * self.n_steps - 2
            phases += [(peak, back, self.max_lr, first), (back, end, first, last)]
        else:
            phases += [(peak, end, self.max_lr, last)]
        form = _cosine if self.anneal == "cos" else _line
        at = min(step, end)
        for start, stop, high, low in phases:
            if at <= stop and stop > start:
                return form(high, low, (at - start) / (stop - start))
        return float(last)


@dataclass(frozen=True)
class WarmUp:
    """
    A straight rise to the first rate of another schedule, which then follows.

    The rate after k of the n_steps is (k + 1) / (n_steps + 1) of it.

    Parameters
    ----------
    n_steps : int
        The steps of the rise.
    schedule : callable or float
        What follows, as if it began then: any schedule, or a constant rate.

    Examples
    --------
    >>> import fastloss as fl
    >>> schedule = fl.optim.WarmUp(4, fl.optim.Cosine(1.0, 100))
    >>> schedule(0), schedule(3), schedule(4), round(schedule(54), 6)
    (0.2, 0.8, 1.0, 0.5)
    """

    n_steps: int
    schedule: Schedule | float

    def __post_init__(self) -> None:
        _count("n_steps", self.n_steps)
        checked_rate("schedule", self.schedule)

    def __call__(self, step: int) -> float:
        """Return the rate after that many steps."""
        if step >= self.n_steps:
            return self._after(step - self.n_steps)
        return self._after(0) * ((step + 1) / (self.n_steps + 1))

    def _after(self, step: int) -> float:
        return float(self.schedule(step) if callable(self.schedule) else self.schedule)


def _cosine(start: float, stop: float, part: float) -> float:
    return float(stop + (start - stop) / 2 * (1 + math.cos(math.pi * part)))


def _line(start: float, stop: float, part: float) -> float:
    return float(start + (stop - start) * part)
