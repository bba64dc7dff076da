# Everything a developer runs. `make` alone lists it.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 3

# On Debian python3 may come without ensurepip; then the environment has no pip of its own and
# the one beside $(PYTHON) installs into it.
PIP = $$(if [ -x $(BIN)/pip ]; then echo $(BIN)/python -m pip; \
	else echo $(PYTHON) -m pip --python $(BIN)/python; fi)
PIP_INSTALL = $(PIP) install --quiet --disable-pip-version-check --no-input
UV_LOCK = $(BIN)/uv pip compile pyproject.toml --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header $(if $(UPGRADE),--upgrade)

# The tests start hundreds of processes; where no compiled code may be kept, each compiles all.
COMPILED_ONCE = env -u PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check lint types format docs screenshots words bench try-kamailio \
	lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(VENV)/.project ## make the environment (.venv) from the lock file

run: setup ## serve a demo on http://127.0.0.1:8000 (PORT=, TALKTIME_DATA=)
	@exec $(BIN)/talktime serve --demo

test: $(VENV)/.test ## install what the tests need, run them all (ARGS= for pytest, WORKERS=)
	@sh tests/servers.sh
	@$(COMPILED_ONCE) $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile \
		--no-loadscope-reorder $(ARGS)

check: lint types test ## lint, types, import rules, docs, tests

lint: $(VENV)/.test ## ruff and the import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: $(VENV)/.test ## mypy
	@$(BIN)/mypy

format: $(VENV)/.test ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.test ## write what of the documentation follows from the code
	@$(BIN)/python -m docs.generate
	@$(BIN)/python -m tests.docs.console

screenshots: $(VENV)/.test ## photograph every page of the console, into docs/screenshots (ARGS= for some)
	@sh tests/servers.sh
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

words: $(VENV)/.test ## collect and compile the words of the pages; say what lacks a translation
	@$(BIN)/python -m talktime.console.words

bench: $(VENV)/.test ## measure; every figure is a ratio to a comparator
	@sh tests/servers.sh
	@$(BIN)/python -m bench $(ARGS)

try-kamailio: setup ## place calls over a real SIP proxy; see them charged, and cut
	@sh tests/servers.sh switches
	@$(BIN)/python -m tests.switches.try_kamailio

lock: $(VENV)/.test ## renew the lock files from pyproject.toml (UPGRADE=1 for newer versions)
	@$(UV_LOCK) --group build --output-file requirements.lock
	@$(UV_LOCK) --group build --group test --constraints requirements.lock \
		--output-file requirements-dev.lock

clean: ## remove the environment and caches (data/ stays)
	@rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.packages: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Talktime needs Python 3.11 or newer; choose one with PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) (once, and when requirements.lock changes) ..."
	@rm -rf $(VENV)
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
		else $(PYTHON) -m venv --without-pip $(VENV); fi
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.project: $(VENV)/.packages pyproject.toml
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# Most of what these have is never imported: what is, is compiled then.
$(VENV)/.test: requirements-dev.lock $(VENV)/.project
	@echo "Installing the tools that the tests need ..."
	@$(PIP_INSTALL) --no-compile --require-hashes -r requirements-dev.lock
	@touch $@
