"""Which scikit-learn is installed: for the modules that need one."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

_OLDEST = (1, 6)  # validate_data, tags


def series(installed: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", installed)[:2])


def require_sklearn(module: str) -> None:
    """Raise a clear error where scikit-learn is missing or too old for a module of this package."""
    advice = "pip install 'fastloss[sklearn]'"
    try:
        installed = version("scikit-learn")
    except PackageNotFoundError:
        raise ImportError(
            f"{module} needs scikit-learn, which is not installed: {advice}"
        ) from None
    if series(installed) < _OLDEST:
        raise ImportError(f"{module} needs scikit-learn 1.6 or newer, not {installed}: {advice}")
