#!/usr/bin/env bash
# The steps of action.yml. Inputs come in through the environment, never as text of a script: a branch or a file may be
# named by a stranger.
set -euo pipefail

here="${GITHUB_ACTION_PATH:?}"
venv="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/affidavit-venv"

install() {
    "${AFFIDAVIT_PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements/run.lock"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation "$here"
}

check() {
    local arguments=(--root "${AFFIDAVIT_ROOT:-.}" check --format github) path status=0
    [ -z "${AFFIDAVIT_SARIF:-}" ] || arguments+=(--format "sarif=$AFFIDAVIT_SARIF")
    [ -z "${AFFIDAVIT_JUNIT:-}" ] || arguments+=(--format "junit=$AFFIDAVIT_JUNIT")
    [ -z "${AFFIDAVIT_SINCE:-}" ] || arguments+=("--since=$AFFIDAVIT_SINCE")
    [ -z "${AFFIDAVIT_BASELINE:-}" ] || arguments+=("--baseline=$AFFIDAVIT_BASELINE")
    [ "${AFFIDAVIT_STRICT:-false}" != true ] || arguments+=(--strict)
    arguments+=(--)
    while IFS= read -r path; do
        [ -z "$path" ] || arguments+=("$path")
    done <<<"${AFFIDAVIT_PATHS:-}"
    "${AFFIDAVIT_COMMAND:-$venv/bin/affidavit}" "${arguments[@]}" || status=$?
    {
        if [ "$status" = 0 ]; then echo "passes=true"; else echo "passes=false"; fi
        if [ -n "${AFFIDAVIT_SARIF:-}" ] && [ -f "$AFFIDAVIT_SARIF" ]; then printf 'sarif=%s\n' "${AFFIDAVIT_SARIF//[$'\r\n']/}"; else echo "sarif="; fi
    } >>"${GITHUB_OUTPUT:-/dev/null}"
    return "$status"
}

case "${1:-}" in
install) install ;;
check) check ;;
*) echo "usage: action.sh install|check" >&2; exit 2 ;;
esac
