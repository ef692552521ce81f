# Sickbay. `make` alone says what there is; each target brings what it needs.
# Words to set on the command line:
#   PYTHON=/path/to/python3.12   the interpreter that .venv is made with
#   ARGS='...'                   passed on, e.g. make demo ARGS=--hold, make test ARGS='-k gates'
#   JOBS=4                       test processes side by side (default: one a core)

PYTHON ?= python3
JOBS ?= auto
ARGS ?=
BIN := .venv/bin

# Without byte-code each of our programs starts 100 ms later and 10 MB larger.
unexport PYTHONDONTWRITEBYTECODE

# CI may not pass by skipping what it cannot install.
ifeq ($(CI),true)
export SICKBAY_REQUIRE_SLURM := 1
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast lint format protos reasons bench lock clean run-setup dev-setup system-setup

help: ## Show this list
	@echo 'Sickbay keeps GPU hosts fit for training jobs. Try: make demo'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo 'Each target does its own set-up in .venv; the first call takes about a minute.'

demo: run-setup ## Lose a GPU on a simulated node and watch it come back (ARGS=--hold to look around)
	@$(BIN)/sickbay demo $(ARGS)

test: dev-setup system-setup ## Run every test that this machine can run (as root: all of them)
	@mkdir -p build
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup --junitxml=build/junit.xml $(ARGS)

test-fast: dev-setup ## Run the tests that start no outside program: the ones to run while typing
	@$(BIN)/python -m pytest -q tests/unit tests/property tests/meta -m 'not slurm and not kmsg and not gpu and not postgres' $(ARGS)

lint: dev-setup ## Check style, types, layers, and that generated files are current
	@$(BIN)/python tools/lint.py

format: dev-setup ## Rewrite the sources as the formatter wants them
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix --quiet

protos: dev-setup ## Generate the stubs in agent/sickbay/v1 from protos/
	@$(BIN)/python tools/protos.py

reasons: dev-setup ## Generate the Xid table and docs/reasons.md from rules/catalogue
	@$(BIN)/python tools/generate_reasons.py

bench: dev-setup system-setup ## Measure the figures of docs/measurements.md into build/bench.json (ARGS=NAME for one)
	@$(BIN)/python -m tests.bench $(ARGS)

setup: dev-setup system-setup ## Prepare .venv and the system packages that the tests start

lock: ## Pin the dependencies of pyproject.toml anew (ARGS=--upgrade for the newest)
	@$(PYTHON) tools/lock.py $(ARGS)

clean: ## Remove everything that can be made again, .venv included
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find agent tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

run-setup:
	@$(PYTHON) tools/setup.py run

dev-setup:
	@$(PYTHON) tools/setup.py dev

system-setup:
	@$(PYTHON) tools/setup.py system
