#!/usr/bin/env bash
# The tests on a build under AddressSanitizer, and UndefinedBehaviorSanitizer but for the kernels, in build/sanitize.
# Usage: tools/sanitize.sh PYTHON [pytest arguments]
set -euo pipefail

python=$1
shift
library=$("${CC:-gcc}" -print-file-name=libasan.so)

# the kernels that the tests run on, no others
best=$("$python" -c 'import fastloss; print(fastloss.cpu_info()["isa"])' 2>/dev/null || true)
FASTLOSS_ISAS=$best FASTLOSS_SANITIZE=address,undefined "$python" setup.py --quiet build --build-base build/sanitize
built=$(echo build/sanitize/lib.*)

# PYTHONSAFEPATH: not the package in the current folder, whose modules are compiled without sanitizers.
# Leaks are not looked for: the interpreter itself never frees what lives as long as the process.
export PYTHONSAFEPATH=1 PYTHONPATH=$built LD_PRELOAD=$library
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
"$python" -c 'import fastloss, sys; sys.exit(0 if "sanitize" in fastloss.__file__ else 1)'
"$python" -m pytest "$@"
