"""The state of a fit in a file, which is there as a whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

_FORMAT = 5


def save(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """
    Write nested dictionaries of arrays and plain values.

    The file is written beside its place, flushed to the disk, and renamed: whatever happens, `path` has
    the old state or the new one.
    """
    path = Path(path)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    plain = json.dumps({"format": _FORMAT, "state": _split(state, arrays)})
    arrays["state"] = np.frombuffer(plain.encode(), np.uint8)
    write: Any = np.savez  # its stub takes no dictionary
    descriptor, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the name is on the disk when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path: str | os.PathLike[str], *entries: str) -> dict[str, Any] | None:
    """Return what was saved, which must have these entries, or None if there is no file."""
    path = Path(path)
    if not path.exists():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = dict(file)
        whole = json.loads(arrays.pop("state").tobytes())
        form = whole["format"]
        state: dict[str, Any] = _join(whole["state"], arrays) if form == _FORMAT else {}
    except (
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        NotImplementedError,  # of bytes that ask for another compression
        zipfile.BadZipFile,
        zlib.error,
    ):
        raise _foreign(path, "damaged, or another kind of file") from None
    if form != _FORMAT:
        raise _foreign(path, f"its format is {form}, this version's {_FORMAT}")
    if not isinstance(state, dict) or not isinstance(state.get("fit", {}), dict):
        raise _foreign(path, "damaged")
    if missing := ", ".join(name for name in entries if name not in state):
        raise _foreign(path, f"it lacks {missing}")
    return state


def _foreign(path: Path, why: str) -> ValueError:
    return ValueError(
        f"checkpoint = {str(path)!r}: not a checkpoint of this version of fastloss ({why}); expected "
        f"one, or a path where no file is"
    )


def compare(path: str | os.PathLike[str], saved: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise an error if a checkpoint belongs to another fit."""
    for name in now:
        if saved.get(name) != now[name]:
            raise ValueError(
                f"checkpoint = {str(path)!r}: written by a fit with {name} = {saved.get(name)}, "
                f"this one has {now[name]}; remove it to start anew"
            )


def check_path(path: object) -> Path | None:
    """Return the path of a checkpoint, whose folder must exist."""
    if path is None:
        return None
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"checkpoint = {path!r}: expected a path or None")
    result = Path(os.fspath(path))
    if not result.parent.is_dir():
        raise ValueError(f"checkpoint = {str(result)!r}: the folder {result.parent} does not exist")
    if result.is_dir():
        raise ValueError(f"checkpoint = {str(result)!r}: is a folder; expected a file")
    return result


def _split(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """Return what JSON can hold; arrays go into `arrays`, and a reference stays."""
    if isinstance(value, np.ndarray):
        key = f"array{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, np.generic):
        return _split(value.item(), arrays)
    if isinstance(value, dict):
        return {"items": [[key, _split(part, arrays)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        return [_split(part, arrays) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold {value!r}")


def _join(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, dict):
        if "array" in value:
            return arrays[value["array"]]
        return {key: _join(part, arrays) for key, part in value["items"]}
    if isinstance(value, list):
        return [_join(part, arrays) for part in value]
    return value
