"""From flights to float32 design matrices: the split by days, one-hot and standardised columns.

Only what is known before departure is used: the timetable, and the weather observed at the origin
an hour earlier. Everything that is estimated (categories, medians, means, deviations) comes from
the training days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastloss.demo.flights import Flights

_DAYS_BEFORE_MONTH = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
_DAYS = 365


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each in a random order fixed by the seed.

    Attributes
    ----------
    train, validation, test : ndarray of intp
        Row numbers; no day of the year has flights in two parts.
    """

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]

    def where(self, keep: NDArray[np.bool_]) -> Split:
        """Return the split without the rows for which `keep` is False."""
        return Split(*(part[keep[part]] for part in (self.train, self.validation, self.test)))


@dataclass(frozen=True)
class Design:
    """Design matrices of the three parts; the first column is the constant one (the intercept).

    Attributes
    ----------
    train, validation, test : ndarray of float32 of shape (n_samples, n_features)
        C-contiguous, so that a mini-batch of consecutive rows is a view.
    names : tuple of str
        The name of every column.
    """

    train: NDArray[np.float32]
    validation: NDArray[np.float32]
    test: NDArray[np.float32]
    names: tuple[str, ...]


def day_of_year(flights: Flights) -> NDArray[np.intp]:
    """Return the day of 2013 of each flight, from 0 to 364."""
    month = flights.numbers["month"].astype(np.intp)
    return _DAYS_BEFORE_MONTH[month - 1] + flights.numbers["day"].astype(np.intp) - 1


def split_by_days(flights: Flights, seed: int) -> Split:
    """Put 70 % of the days into training, 15 % into validation and 15 % into test.

    Whole days, because the flights of one day share its storms: with a split by flights a model
    could look up on the training part what kind of day the validation flights had.
    """
    rng = np.random.default_rng(seed)
    days = rng.permutation(_DAYS)
    part_of_day = np.zeros(_DAYS, np.int8)
    held_out = round(0.15 * _DAYS)
    part_of_day[days[:held_out]] = 1
    part_of_day[days[held_out : 2 * held_out]] = 2
    order = rng.permutation(len(flights))
    part = part_of_day[day_of_year(flights)[order]]
    return Split(order[part == 0], order[part == 1], order[part == 2])


def delay_design(flights: Flights, split: Split) -> Design:
    """Columns for the delay of a flight: timetable, airline, calendar and the weather before it."""
    n = flights.numbers
    # A gust is reported only when there is one; no rain and ten miles of sight are the normal
    # state.
    gust, rain = np.nan_to_num(n["wind_gust"]), np.nan_to_num(n["precip"])
    sight = np.nan_to_num(n["visib"], nan=10.0)
    day = day_of_year(flights)
    return _assemble(
        split,
        categories={
            "carrier": flights.text["carrier"],
            "origin": flights.text["origin"],
            "dest": flights.text["dest"],
            "hour": n["hour"],
            "weekday": day % 7,
            "week": day // 7,
        },
        numbers={
            "distance": n["distance"],
            "scheduled_minutes": scheduled_minutes(flights),
            "departures_this_hour": departures_this_hour(flights),
            "temperature": n["temp"],
            "dew_point": n["dewp"],
            "humidity": n["humid"],
            "wind_speed": n["wind_speed"],
            "wind_gust": gust,
            "log_rain": np.log1p(100.0 * rain),
            "pressure": n["pressure"],
            "visibility": sight,
            "low_visibility": (sight < 3.0).astype(np.float64),
        },
    )


def carrier_design(flights: Flights, split: Split) -> Design:
    """Columns for guessing the airline: the timetable without airline, flight and tail number."""
    n = flights.numbers
    day = day_of_year(flights)
    return _assemble(
        split,
        categories={
            "origin": flights.text["origin"],
            "dest": flights.text["dest"],
            "hour": n["hour"],
            "five_minutes": n["minute"] // 5,
            "weekday": day % 7,
            "month": n["month"],
        },
        numbers={
            "distance": n["distance"],
            "scheduled_minutes": scheduled_minutes(flights),
            "departures_this_hour": departures_this_hour(flights),
        },
    )


def scheduled_minutes(flights: Flights) -> NDArray[np.float64]:
    """Local arrival minus local departure time in minutes, modulo a day (time zones included)."""
    n = flights.numbers
    arrival = n["sched_arr_time"] // 100 * 60 + n["sched_arr_time"] % 100
    minutes: NDArray[np.float64] = (arrival - n["hour"] * 60 - n["minute"]) % 1440
    return minutes


def departures_this_hour(flights: Flights) -> NDArray[np.float64]:
    """Count the flights scheduled from the same airport in the same hour, a measure of crowding."""
    _, airport = np.unique(flights.text["origin"], return_inverse=True)
    hour = (airport * _DAYS + day_of_year(flights)) * 24 + flights.numbers["hour"].astype(np.intp)
    count: NDArray[np.float64] = np.bincount(hour)[hour].astype(np.float64)
    return count


def _assemble(
    split: Split,
    categories: dict[str, NDArray[np.generic]],
    numbers: dict[str, NDArray[np.float64]],
) -> Design:
    """Write all columns into one float32 matrix per part."""
    names = ["intercept"]
    levels = {}
    for name, values in categories.items():
        levels[name] = np.unique(values[split.train])
        names += [f"{name}={_spell(level)}" for level in levels[name]]
    names += numbers
    statistics = {
        name: _median_mean_deviation(values[split.train]) for name, values in numbers.items()
    }

    parts = []
    for rows in (split.train, split.validation, split.test):
        matrix = np.zeros((len(rows), len(names)), np.float32)
        matrix[:, 0] = 1.0
        column = 1
        for name, values in categories.items():
            known = levels[name]
            code = np.minimum(np.searchsorted(known, values[rows]), len(known) - 1)
            # A level that no training flight has leaves all its columns at zero.
            seen = np.flatnonzero(known[code] == values[rows])
            matrix[seen, column + code[seen]] = 1.0
            column += len(known)
        for name, values in numbers.items():
            median, mean, deviation = statistics[name]
            filled = np.where(np.isnan(values[rows]), median, values[rows])
            matrix[:, column] = (filled - mean) / deviation
            column += 1
        parts.append(matrix)
    return Design(parts[0], parts[1], parts[2], tuple(names))


def _median_mean_deviation(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median of what is known, mean and standard deviation with the median for what is not."""
    median = float(np.nanmedian(values))
    filled = np.where(np.isnan(values), median, values)
    # A constant column becomes zero, not NaN.
    return median, float(filled.mean()), float(filled.std()) or 1.0


def _spell(level: np.generic) -> str:
    """Spell a category level for a column name."""
    value = level.item()
    return value.decode() if isinstance(value, bytes) else f"{value:g}"
