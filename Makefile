# mwbatch: every target does its own set-up. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test heavy test-system torture bench-growth check format audit tools clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): pyproject.toml
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[metrics]' --group dev
	@touch $@

demo: $(READY) ## Tag 1,000 pictures with a simulated API: no key, no network, no money
	@$(BIN)/python -m tests.demo

test: $(READY) ## Run the tests that need only Python (about four minutes)
	@$(BIN)/python -m coverage run -m pytest -q tests/core
	@$(BIN)/python -m coverage report --include='mwbatch/core/*' --fail-under=100 --skip-covered
	@$(BIN)/python -m pytest -q -n 4 -m "not system" --ignore=tests/core --durations=5

heavy: $(READY) ## The story of 10,000 rows against a failing API, killed twenty times
	@$(BIN)/python -m tests.torture.heavy

test-system: $(READY) tools ## Run the tests that need Debian's tools, installed first
	@$(BIN)/python -m pytest -q -m system

tools: ## Install what test-system needs (Debian, as root or with sudo)
	@sh tests/tools.sh

torture: $(READY) ## Torture the submitter (long): SEED=… ONLY=… FROM=…
	@SEED="$(SEED)" ONLY="$(ONLY)" FROM="$(FROM)" COUNT="$(COUNT)" $(BIN)/python -m tests.torture

bench-growth: $(READY) ## Time and memory for 10,000 to 1,000,000 rows (long): ROWS=… ONLY=… FOLDER=… KEEP=1
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@$(BIN)/python -m tests.benchmarks.growth $(if $(ROWS),--rows "$(ROWS)") $(if $(ONLY),--only "$(ONLY)") \
		$(if $(FOLDER),--folder "$(FOLDER)") $(if $(KEEP),--keep)

check: $(READY) ## Format, lint, types, import contracts, known vulnerabilities, README against --help
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pip check
	@$(BIN)/python -m tests.readme

audit: $(READY) ## Look the installed packages up in an advisory database (needs one that can be reached)
	@$(BIN)/pip-audit --strict --skip-editable

format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove what the targets made
	@rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
