# The commands of this project. `make help` lists them; all they need is Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PROJECT := pyproject.toml constraints.txt

# Tests wait for processes more than they compute: more workers than cores. A worker takes tests in the order of their files,
# so that what a file sets up once is set up about once, and at the end the rest of a slower one's.
WORKERS ?= 4
PARALLEL := --numprocesses $(WORKERS) --dist worksteal

# Tests start hundreds of interpreters, which would each compile every module where the environment forbids to keep the result.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test conformance check bench bench-server bench-memory bench-slowloris bench-orm bench-report profile-server docs format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Serve the example site on http://127.0.0.1:8000
	cd examples/polls && ../../$(BIN)/transom migrate
	cd examples/polls && ../../$(BIN)/python -m polls.sample_data
	cd examples/polls && exec ../../$(BIN)/transom run

test: $(VENV)/.test ## Run all tests; what needs a missing service is skipped and named
	$(BIN)/python -m pytest $(PARALLEL)

conformance: $(VENV)/.test ## Run the long suites of others against the server; `make test` leaves them out
	$(BIN)/python -m pytest -m conformance --capture=no tests

check: $(VENV)/.dev ## Formatting, linting, types, import contracts, fast tests, docs: what a change must pass
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python -m pytest -q -m "not slow" $(PARALLEL)
	$(BIN)/mkdocs build --strict --quiet

bench: ## All benchmarks against peers, in environments of their own; an hour and a half. bench-server: the server's part
	$(MAKE) -C benchmarks bench

bench-server bench-memory bench-slowloris bench-orm bench-report profile-server:
	$(MAKE) -C benchmarks $@

docs: $(VENV)/.dev ## The documentation on http://127.0.0.1:8001, with live reload
	$(BIN)/mkdocs serve --dev-addr 127.0.0.1:8001

format: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what the other commands made
	rm -rf $(VENV) .venv-autobahn .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache site build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Three environments in one folder, each a superset of the one before: what a site, the tests and a developer need.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Transom needs Python 3.11 or newer; name one: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'

$(VENV)/.runtime: $(BIN)/python $(PROJECT)
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(BIN)/python $(PROJECT)
	$(INSTALL) --editable '.[postgres,testing]' --group test
	@touch $@ $(VENV)/.runtime

$(VENV)/.dev: $(BIN)/python $(PROJECT)
	$(INSTALL) --editable '.[postgres,testing]' --group dev
	@touch $@ $(VENV)/.test $(VENV)/.runtime
