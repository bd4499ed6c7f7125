"""Makes the shared modules of this folder importable, whatever the import mode."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# a shell that starts the tests in the background has interrupts ignored, also those that tests raise
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
