"""
Exact results, worked out once for all instruction sets.

mpmath takes longer than everything else here, and what it gives does not depend on the kernels.
With FASTLOSS_REFERENCES set to a folder, results are kept there and read by later runs, until a
reference or a sample changes.
"""

import functools
import hashlib
import os
import pickle
import tempfile
from pathlib import Path

import mpmath
from mpmath import mp

#: Of what is kept: far beyond what a distance in ULP of a float64 needs.
KEPT_BITS = 240


@functools.cache
def _formulas() -> bytes:
    """What every result depends on: the references, and the version of mpmath."""
    digest = hashlib.sha256(mpmath.__version__.encode())
    for path in sorted(Path(__file__).parents[1].joinpath("references").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def rounded(value):
    """Numbers with KEPT_BITS, in whatever lists and tuples they stand."""
    if isinstance(value, list | tuple):
        return type(value)(rounded(part) for part in value)
    if isinstance(value, mp.mpf):
        with mp.workprec(KEPT_BITS):
            return +value
    return value


def remembered(compute, *key):
    """
    Return compute(), from the folder of FASTLOSS_REFERENCES where it is there already.

    The key tells one result from every other: arrays by their bytes, the rest by its repr.
    """
    folder = os.environ.get("FASTLOSS_REFERENCES")
    if not folder:
        return rounded(compute())
    digest = hashlib.sha256(_formulas())
    for part in key:
        digest.update(part.tobytes() if hasattr(part, "tobytes") else repr(part).encode())
        digest.update(b"\0")
    path = Path(folder, digest.hexdigest())
    if path.exists():
        return pickle.loads(path.read_bytes())
    result = rounded(compute())
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:  # complete, or not there
        pickle.dump(result, file)
    os.replace(file.name, path)
    return result
