"""The front door: ``python build.py`` builds every report below reports/ into site/.

The same program as ``affidavit``; started from elsewhere it works on the folder that it lies in.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

try:
    from affidavit.__main__ import run
except ModuleNotFoundError as error:
    sys.exit(f"build.py: {error}; run `make` once, then `.venv/bin/python build.py`")

if __name__ == "__main__":
    args = sys.argv[1:]
    run(args if any(arg.startswith("--root") for arg in args) else ["--root", str(HERE), *args])
