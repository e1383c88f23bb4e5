#!/bin/sh
# Write run.lock (what `make` installs) and dev.lock (run.lock, the optional extras and the tools that `make test` needs)
# from pyproject.toml: every version pinned, every file of it by its hash, for Python 3.11 and newer
# on all platforms, and with no index named. Existing pins are kept; give `--upgrade` (or
# `--upgrade-package NAME`) to move them. Needs uv (https://docs.astral.sh/uv/).
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "requirements/lock.sh: uv is needed: python3 -m pip install uv" >&2; exit 2; }

# A machine's own index or wheel folder must leave no trace in the pins.
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_INDEX UV_DEFAULT_INDEX UV_FIND_LINKS 2>/dev/null || :

compile() {
    uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@" >/dev/null
}

compile pyproject.toml --extra keys --extra lint --extra dev --output-file requirements/dev.lock "$@"
# The build backend is pinned, too: the editable install of the checkout is built without network.
printf 'hatchling\n' | compile pyproject.toml - --constraints requirements/dev.lock --output-file requirements/run.lock
