"""Write the derived texts anew, or check that none has been left behind.

``python -m tools.generate`` writes them; with ``--check`` it names those that differ, exit status 1.
"""

import sys
from pathlib import Path

from affidavit.reference import DERIVED

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    check = "--check" in arguments
    stale = []
    for name, make in DERIVED.items():
        path, text = ROOT / name, make()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    for name in stale:
        print(f"{name} {'differs from the code: run make generate' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
