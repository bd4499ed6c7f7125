"""
Look into a source distribution and a wheel.

Usage: check_distribution.py FOLDER (with one of each)
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked(pattern: str) -> set[str]:
    """Return the files of this source tree that match a pattern, as paths with slashes."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> int:
    folder = Path(sys.argv[1])
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.removesuffix(".pyx") for path in tracked("fastloss/**/*.pyx")}

    problems = []
    sources = tracked("src/**/*") | tracked("tests/**/*.py") | tracked("benchmarks/*.py")
    sources |= tracked("fastloss/**/*.py*") | tracked("*.md") | {"Makefile", "pyproject.toml"}
    problems += [f"the sdist lacks {name}" for name in sorted(sources - in_sdist)]
    for name in sorted(in_sdist):
        if re.search(r"\.(so|pyd|o|a|pyc)$", name) or name in {f"{m}.c" for m in modules}:
            problems.append(f"the sdist holds {name}, which a build makes")
    for module in sorted(modules):
        if not any(re.match(rf"{module}\..*(so|pyd)$", name) for name in in_wheel):
            problems.append(f"the wheel lacks the compiled {module}")
        if f"{module}.pyi" not in in_wheel:
            problems.append(f"the wheel lacks {module}.pyi")
    wanted = tracked("fastloss/**/*.py") | tracked("fastloss/**/*.pxd") | {"fastloss/py.typed"}
    problems += [f"the wheel lacks {name}" for name in sorted(wanted - in_wheel)]
    for name in sorted(in_wheel):
        if name.endswith(".pyx") or not re.match(r"fastloss(/|-[\d.]+\w*\.dist-info/)", name):
            problems.append(f"the wheel holds {name}")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{sdist.name}: {len(in_sdist)} entries; {wheel.name}: {len(in_wheel)} entries")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
