"""Results of optax, computed in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def store_results(path, cases):
    """Store losses and gradients of their sums, of cases (f, function of optax.losses and f)."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    results = {}
    for name, (f, function) in cases.items():
        value, back = jax.vjp(lambda x, function=function: function(optax.losses, x), f)
        results[name] = np.column_stack([value, *back(jax.numpy.ones_like(value))])
    np.savez(path, **results)


def results_of(script, folder):
    """Return by case what a test file stores that is run as a script; skip without optax."""
    if importlib.util.find_spec("optax") is None:
        pytest.skip("optax is not installed")
    path = folder / "theirs.npz"
    # named, since with PYTHONSAFEPATH a script's own folder is not among the paths
    tests = os.pathsep.join(filter(None, [str(Path(script).parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": tests}
    subprocess.run([sys.executable, script, path], check=True, timeout=300, env=environment)
    with np.load(path) as results:
        return dict(results)
