# make          set up .venv and build every report into site/
# make test     set up, then lint, check types and run the tests
# make bench    set up and print one line a figure
# make lint     only ruff and mypy
# make format   let ruff lay out the code
# make generate write the derived texts anew (docs/tables.md, the JSON Schema ...)
# make lock     pin the dependencies anew from pyproject.toml (needs uv)
# make editor   hold the JSON Schema against yaml-language-server, SARIF against its published schema (needs npm)
# make clean    remove what was built; make distclean: and .venv
#
# PYTHON=...    the Python to use (3.11 or newer); else the newest one at hand
# NO_INSTALL=1  do not install system packages, only say which are missing

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build
.PHONY: build test editor bench lint format generate lock clean distclean setup setup-dev
.SUFFIXES:

PYTHON ?=
export PYTHON
# The program is started a hundred times by its tests: it is not to be compiled each time.
unexport PYTHONDONTWRITEBYTECODE
NO_INSTALL ?=

VENV := .venv/bin
# What would only be better to have is asked for once, when .venv is made.
SYSTEM := tools/check_system.py $(if $(wildcard .venv/affidavit-setup.json),--required) $(if $(NO_INSTALL),--no-install)

build: setup
	@$(VENV)/python build.py

# Where Python is told to write no bytecode, each start would compile the whole program anew.
COMPILE := $(VENV)/python -m compileall -q affidavit

setup:
	@python=$$(tools/find_python.sh) && "$$python" $(SYSTEM) && "$$python" tools/setup_env.py run && $(COMPILE)

setup-dev:
	@python=$$(tools/find_python.sh) && "$$python" $(SYSTEM) --tests && "$$python" tools/setup_env.py dev && $(COMPILE)

test: lint
	@echo "pytest"
	@$(VENV)/python -m pytest -q -n auto --maxprocesses 8 --dist worksteal $(PYTEST)

lint: setup-dev
	@echo "ruff"
	@$(VENV)/ruff check --quiet .
	@echo "mypy"
	@$(VENV)/mypy --no-error-summary

editor: setup-dev
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund \
		yaml-language-server@1.25.0 @microsoft/jest-sarif@1.0.0-beta.0
	@$(VENV)/python -m pytest -q tests/setup/test_editor.py tests/report/test_published_sarif.py

format: setup-dev
	@$(VENV)/ruff check --quiet --fix .
	@$(VENV)/ruff format .

bench: setup-dev
	@$(VENV)/python -m benchmarks

generate: setup-dev
	@$(VENV)/python -m tools.generate

lock:
	@requirements/lock.sh

clean:
	@rm -rf site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .affidavit-cache *.egg-info
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	@rm -rf .venv
