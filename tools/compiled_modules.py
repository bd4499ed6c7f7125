"""Print the names of the compiled modules, for tools that take them as arguments."""

from pathlib import Path

root = Path(__file__).parents[1]
for source in sorted(root.glob("fastloss/**/*.pyx")):
    print(".".join(source.relative_to(root).with_suffix("").parts))
