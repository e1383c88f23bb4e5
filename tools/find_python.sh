#!/bin/sh
# Print the path of the Python that the set-up uses: $PYTHON if given, else the newest one at hand
# among those the pins are tested with, else any newer. A name on PATH may be a shim that fails when
# run, and `python3` may be the one inside .venv, which must not be made from itself: each candidate
# is run, and the interpreter underneath is printed.
set -u

probe='import sys
if sys.version_info < (3, 11):
    sys.exit(1)
print(getattr(sys, "_base_executable", None) or sys.executable)'

for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python3.14}; do
    if found=$("$candidate" -c "$probe" 2>/dev/null) && [ -n "$found" ]; then
        printf '%s\n' "$found"
        exit 0
    fi
done

{
    if [ -n "${PYTHON:-}" ]; then
        echo "set-up: PYTHON=$PYTHON is not a Python 3.11 or newer that runs."
    else
        echo "set-up: no Python 3.11 or newer was found (tried python3.13, python3.12, python3.11, python3)."
        echo "  Debian 12, Ubuntu 24.04:  apt-get install python3 python3-venv"
        echo "  Fedora:                   dnf install python3"
        echo "  macOS:                    brew install python"
        echo "  elsewhere:                install one, then run  make PYTHON=/path/to/python3"
    fi
} >&2
exit 2
