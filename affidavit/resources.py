"""Where the program's own files are: beside the package in a checkout, inside it when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir(package: Path = _PACKAGE) -> Path:
    """Return the folder of the templates and styles that come with the program.

    In a wheel they lie in the package (``affidavit/_templates``); in a checkout, editable install
    included, at its top (``templates/``), where they are edited. A folder ``templates`` beside the
    package counts only if the checkout's ``pyproject.toml`` is there, too: in ``site-packages`` it
    would be somebody else's.

    `package` is the folder of the package ``affidavit``.

    Raises `FileNotFoundError` naming both places if the installation is incomplete.
    """
    inside = package / "_templates"
    if inside.is_dir():
        return inside
    beside = package.parent / "templates"
    if beside.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    raise FileNotFoundError(f"the program's templates are missing: neither {inside} nor {beside} is there")
