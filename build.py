"""The front door: ``python build.py`` builds every report below reports/ into site/.

The same program as ``affidavit``; started from elsewhere it works on the folder that it lies in.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

if __name__ == "__main__":
    from affidavit.__main__ import run

    if find_spec("click") is None:
        sys.exit(
            "build.py: there is no .venv yet, or this is another Python: `make` once, then `.venv/bin/python build.py`"
        )
    args = sys.argv[1:]
    run(args if any(arg.startswith("--root") for arg in args) else ["--root", str(HERE), *args])
