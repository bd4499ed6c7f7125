"""A clear error where scikit-learn is missing or too old."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

_OLDEST = (1, 6)  # validate_data, tags


def _check() -> None:
    advice = "pip install 'fastloss[sklearn]'"
    try:
        installed = version("scikit-learn")
    except PackageNotFoundError:
        raise ImportError(
            f"fastloss.linear_model needs scikit-learn, which is not installed: {advice}"
        ) from None
    numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[:2])
    if numbers < _OLDEST:
        raise ImportError(
            f"fastloss.linear_model needs scikit-learn 1.6 or newer, not {installed}: {advice}"
        )


_check()
