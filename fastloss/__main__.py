"""``python -m fastloss`` is the ``fastloss`` command."""

import sys

from fastloss.cli import main

sys.exit(main())
