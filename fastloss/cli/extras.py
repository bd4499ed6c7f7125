"""What the commands say when an optional package is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence


class MissingExtraError(Exception):
    """A package of an optional extra is not installed.

    Parameters
    ----------
    package : str
        The name of the package.
    purpose : str
        What it provides, as the end of the sentence "it provides …".
    extra : str, default="demo"
        The extra of fastloss that installs it.
    """

    def __init__(self, package: str, purpose: str, extra: str = "demo") -> None:
        self.package = package
        super().__init__(
            f"the package {package} is not installed; it provides {purpose}. Install it, and "
            f"everything else that this command needs, with: pip install 'fastloss[{extra}]'"
        )


def require(packages: Sequence[tuple[str, str]], extra: str = "demo") -> None:
    """Check, without importing them, that packages are installed.

    Parameters
    ----------
    packages : sequence of (str, str)
        Pairs of a package's import name and what it provides.
    extra : str, default="demo"
        The extra that installs them.

    Raises
    ------
    MissingExtraError
        For the first one that is not installed.
    """
    for package, purpose in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, purpose, extra)
