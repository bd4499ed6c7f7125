"""Tell in plain words what a machine lacks to build fastloss. Runs on any Python 3."""

import os
import shutil
import sys
import sysconfig


def missing():
    """Return what is missing, a sentence each."""
    if sys.version_info < (3, 11):
        yield (
            "Python %d.%d is too old: fastloss needs 3.11 or newer (make PYTHON=python3.13 ...)"
            % (sys.version_info[:2])
        )
        return
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        yield (
            f"no C compiler ({compiler}): install gcc or clang (Debian, Ubuntu: build-essential; "
            "Fedora: gcc; macOS: xcode-select --install), or name one with CC=..."
        )
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.exists(header):
        yield f"no {header}: install python3-dev (Debian, Ubuntu) or python3-devel (Fedora)"
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        yield "this Python cannot make virtual environments: install python3-venv"


problems = list(missing())
for problem in problems:
    print(f"fastloss: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
