"""``python -m affidavit``: the same program as ``affidavit`` and ``python build.py``."""

from affidavit.cli import main

if __name__ == "__main__":
    main()
