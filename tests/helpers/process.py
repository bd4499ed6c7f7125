"""Python in a process of its own, for what can only be set before fastloss is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent


def environment(**variables):
    """The environment of this process, with variables set, or unset where they are None."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    env["PYTHONPATH"] = os.pathsep.join([str(TESTS), *sys.path])
    for key, value in variables.items():
        env.pop(key, None)
        if value is not None:
            env[key] = value
    return env


def run(code, timeout=300, **variables):
    """Run code; what it printed as JSON, or an error with its stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)
