# mwbatch: every target does its own set-up. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXPORTS := .venv-exports
FUZZ_READY := $(VENV)/.fuzz-ready
BENCH_READY := $(VENV)/.bench-ready
DOCS_READY := $(VENV)/.docs-ready

.DEFAULT_GOAL := help
.PHONY: help demo test bench bench-beside heavy test-system test-exports torture fuzz bench-pace bench-growth mutants cuts walk quick check docs format audit tools clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo
	@echo "While you write: make quick. Before a commit: make check. Before a push: make test, and what"
	@echo ".github/CONTRIBUTING.md names for what you changed."

$(READY): pyproject.toml
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[metrics]' --group dev
	@touch $@

$(EXPORTS)/.ready: pyproject.toml
	@echo "setting up $(EXPORTS) (once) ..."
	@$(PYTHON) -m venv $(EXPORTS)
	@$(EXPORTS)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(EXPORTS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[parquet]' --group exports
	@touch $@

demo: $(READY) ## Tag 1,000 pictures with a simulated API: no key, no network, no money
	@$(BIN)/python -m tests.demo

test: $(READY) ## Run the tests that need only Python (about five minutes)
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest -q -n 2 tests/unit/core
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --include='mwbatch/core/*' --fail-under=100 --skip-covered
	@$(BIN)/python -m pytest -q -n 4 --dist loadgroup -m "not system and not exports" --ignore=tests/unit/core --durations=5

bench: $(BENCH_READY) ## Compare with what people would use instead: ONLY=creating|receiving|starting|pace RUNS=5 JSON=FILE KEEP=1
	@$(BIN)/python -m compileall -q mwbatch # as pip does where it installs, whatever PYTHONDONTWRITEBYTECODE says
	@ONLY="$(ONLY)" RUNS="$(RUNS)" $(BIN)/python -m tests.bench $(if $(JSON),--json $(JSON)) $(if $(KEEP),--keep)

bench-beside: $(BENCH_READY) ## Compare with another checkout that is set up, by processor time: BASE=DIR ONLY=start,open,… RUNS=11
	@$(BIN)/python -m tests.bench.beside "$(BASE)" $(if $(ONLY),--only "$(ONLY)") $(if $(RUNS),--runs $(RUNS))

heavy: $(READY) ## The story of 10,000 rows against a failing API, killed twenty times
	@$(BIN)/python -m tests.proof.torture.heavy

test-system: $(READY) tools ## Run the tests that need Debian's tools, installed first
	@$(BIN)/python -m pytest -q -n 2 -m system

test-exports: $(EXPORTS)/.ready ## Read every export back with the libraries that others use, in an environment of their own
	@$(EXPORTS)/bin/python -m pytest -q -m exports tests/proof/read_back

tools: ## Install what test-system needs (Debian, as root or with sudo)
	@sh tests/tools.sh

torture: $(READY) ## Torture submitter and receiver (long): SEED=…; the matrix alone: ONLY=… FROM=… COUNT=…
	@SEED="$(SEED)" ONLY="$(ONLY)" FROM="$(FROM)" COUNT="$(COUNT)" $(BIN)/python -m tests.proof.torture
ifeq ($(ONLY)$(FROM)$(COUNT),)
	@$(BIN)/python -m tests.proof.torture.kills --kills 300 $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.proof.torture.acks --kills 500 $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m pytest -q --timeout=0 --hypothesis-profile=long tests/unit/journal/laws/test_crash.py tests/proof/histories
endif

$(FUZZ_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@

$(DOCS_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	@touch $@

$(BENCH_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@touch $@

bench-pace: $(READY) ## Race the pace against three rivals before a throttled API (about five minutes)
	@$(BIN)/python -m tests.bench.pacing.pace

fuzz: $(FUZZ_READY) ## Feed hostile bytes to every reader, ten million times (up to 40 minutes): FUZZ="--seconds 60 --only body"
	@$(BIN)/python -m tests.proof.fuzz $(FUZZ)

bench-growth: $(BENCH_READY) ## Time and memory for 10,000 to 1,000,000 rows (long): ROWS=… ONLY=… FOLDER=… KEEP=1
	@$(BIN)/python -m tests.bench.growing.growth $(if $(ROWS),--rows "$(ROWS)") $(if $(ONLY),--only "$(ONLY)") \
		$(if $(FOLDER),--folder "$(FOLDER)") $(if $(KEEP),--keep)

mutants: $(READY) ## Change the code in 600 small ways, one at a time, and see whether a test notices (long): SEED=… COUNT=… ONLY=… KEEP=1
	@$(BIN)/python -m tests.proof.mutants $(if $(SEED),--seed "$(SEED)") $(if $(COUNT),--count "$(COUNT)") \
		$(if $(ONLY),--only $(ONLY)) $(if $(KEEP),--keep)

cuts: $(READY) ## Cut every command short at every step, in each way (hours): COUNT=… a command, drawn by SEED=…; ONLY=…
	@$(BIN)/python -m tests.proof.cuts $(if $(SEED),--seed "$(SEED)") $(if $(COUNT),--count "$(COUNT)") \
		$(if $(ONLY),--only "$(ONLY)")

walk: $(READY) ## Print the files that one create, one callback and one submit of a row pass, and the calls in each
	@$(BIN)/python -m tests.bench.walk

quick: $(READY) ## While you write: format, lint, types, import contracts, documents against the code (under a minute)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.documents

check: quick docs ## Before a commit: what quick does, a second type checker, the documents as a site, the installed packages
	@$(BIN)/basedpyright
	@$(BIN)/python -m pip check

docs: $(DOCS_READY) ## Build a site of the documents in build/site; each warning is an error
	@$(BIN)/python -m sphinx -q -n -W --keep-going -c tests/site mwbatch/docs build/site

audit: $(READY) ## Look the installed packages up in an advisory database (needs one that can be reached)
	@$(BIN)/pip-audit --strict --skip-editable

format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove what the targets made
	@rm -rf $(VENV) $(EXPORTS) .mutants build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
