"""One promised figure and what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A figure that must be reached.

    Parameters
    ----------
    subject : str
        The heading it stands under.
    what : str
        What is timed.
    against : str
        Whom it is compared with, or the unit where it is compared with none.
    bound : float
        The promise.
    measured : float
        The result.
    at_least : bool
        Whether more is better: a factor of speed; False for times and costs.
    unit : str
        Follows the figures: "×", "ns", "µs", "%".
    note : str
        What a reader should know of the measurement.
    """

    subject: str
    what: str
    against: str
    bound: float
    measured: float
    at_least: bool = True
    unit: str = "×"
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the promise is kept."""
        if self.at_least:
            return self.measured >= self.bound
        return self.measured <= self.bound

    def as_json(self) -> dict[str, Any]:
        """Return all fields and the verdict."""
        return {**asdict(self), "passed": self.passed}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Target:
        """Return what `as_json` was made from."""
        return cls(**{key: value for key, value in entry.items() if key != "passed"})

    def cells(self) -> tuple[str, str, str, str, str]:
        """Return what, against, promise, measured, verdict as text."""
        sign = "≥" if self.at_least else "≤"
        what = f"{self.what} ({self.note})" if self.note else self.what
        return (
            what,
            self.against,
            f"{sign} {self.bound:g} {self.unit}".replace(" ×", "×"),
            f"{_figure(self.measured)} {self.unit}".replace(" ×", "×"),
            "yes" if self.passed else "**no**",
        )


def scale_remark(scale: float) -> str:
    """Return a sentence about large sizes that are not those promised, "" if they are."""
    return "" if scale == 1 else f"Large sizes are × {scale:g} of those promised."


def _figure(x: float) -> str:
    """Three significant digits, no exponent."""
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


@dataclass(frozen=True)
class Settings:
    """How much of everything.

    Parameters
    ----------
    n_threads : int
        Threads of every implementation, unless a target says one.
    repeats : int
        Rounds of interleaved timing.
    scale : float
        Factor on the large sizes; below 1 for a quick look.
    say : callable
        Called with a line of text when a part begins.
    """

    n_threads: int = 2
    repeats: int = 9
    scale: float = 1.0
    say: Callable[[str], None] = print

    def size(self, n: int) -> int:
        """Return a large size after scaling."""
        return max(1000, int(n * self.scale))
