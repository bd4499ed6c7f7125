"""Print requirements in pyproject.toml, one a line: those of ``build`` or of an extra."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
wanted = sys.argv[1]
if wanted == "build":
    requirements = project["build-system"]["requires"]
else:
    requirements = project["project"]["optional-dependencies"][wanted]
print("\n".join(requirements))
