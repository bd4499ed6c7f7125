"""What was measured on: the processor and the versions, nothing that names a person or a host."""

from __future__ import annotations

import datetime
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fastloss as fl

LIBRARIES = ("numpy", "scikit-learn", "scikit-learn-intelex", "torch")


def describe_machine() -> dict[str, str]:
    """Return the processor, instruction set, threads, versions and date."""
    info = fl.cpu_info()
    facts = {
        "processor": processor(),
        "instruction set": str(info["isa"]),
        "threads": str(fl.get_num_threads()),
        "Python": platform.python_version(),
        "fastloss": fl.__version__,
    }
    for library in LIBRARIES:
        try:
            facts[library] = version(library)
        except PackageNotFoundError:
            facts[library] = "not installed"
    facts["date"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    return facts


def processor() -> str:
    """Return the processor's name as it gives it, with its family and model on Linux."""
    wanted = {"model name": "", "cpu family": "", "model": ""}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in wanted and not wanted[key.strip()]:
            wanted[key.strip()] = value.strip()
    if not wanted["model name"]:
        return platform.machine()
    return f"{wanted['model name']} (family {wanted['cpu family']}, model {wanted['model']})"
