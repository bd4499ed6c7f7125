"""The ``fastloss`` command."""

from fastloss.cli.parser import main

__all__ = ["main"]
