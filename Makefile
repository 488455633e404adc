# Every target first makes the one virtual environment, .venv, from the locked versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DONE := .venv/installed
PEERS := .venv/peers-installed
MUTATION := .venv/mutation-installed
SITE := .venv/site-installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What shows whether other versions of the libraries serve: every library is used by one of these.
VERSIONED := tests/api/test_estimators.py tests/cli/test_main.py tests/cli/test_solve.py tests/cli/test_verify.py tests/cli/test_databases.py \
	tests/engine/test_formulation.py tests/engine/test_optimise.py tests/engine/test_solving.py \
	tests/engine/kernel tests/portfolio tests/report/drawing/test_files.py tests/scenario tests/scoring/test_fitting.py \
	tests/scoring/test_churn.py tests/scoring/test_logit.py tests/scoring/test_workbook.py tests/store \
	tests/tables tests/test_borrowers.py tests/test_extras.py

# Further versions of Python that pyproject.toml declares.
PYTHONS := 3.12 3.13 3.14

.PRECIOUS: .venv-%/installed
.PHONY: test-oldest test-newest test-python $(PYTHONS:%=test-%) demo test lint docs site bench bench-full check-full mutation clean

demo: $(DONE)
	$(BIN)/allocator solve scenarios/sme-302.yaml --out runs/demo --force
	$(BIN)/allocator verify runs/demo

test: $(DONE)
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --durations=10

# Versions at both ends of what pyproject.toml allows, each in a virtual environment of its own.
test-oldest test-newest: test-%: .venv-%/installed
	.venv-$*/bin/python -m pytest $(VERSIONED)

# The same tests with the locked libraries, on each Python that this machine has.
test-python: $(PYTHONS:%=test-%)

$(PYTHONS:%=test-%): test-%:
	@if python$* -c "" 2> /dev/null; then \
		$(MAKE) --no-print-directory .venv-$*/installed && .venv-$*/bin/python -m pytest $(VERSIONED); \
	else echo "test-$*: skipped, no python$* runs here"; fi

lint: $(DONE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DONE)
	$(BIN)/python -m docs.build

# The pages and the Python reference as build/site, every link checked; nothing is fetched to read it.
site: $(SITE)
	$(BIN)/python -m docs.site

bench: $(PEERS)
	$(BIN)/python -m benchmarks run

bench-full: $(PEERS)
	$(BIN)/python -m benchmarks run --full

check-full: $(SITE)
	$(BIN)/python -m tests.check_full

# Mutants of what rechecks a run: hours for all of it; MODULES="certification.lots summary" for some.
mutation: $(MUTATION)
	$(BIN)/python -m tests.mutation $(MODULES)

clean:
	rm -rf .venv .venv-oldest .venv-newest $(PYTHONS:%=.venv-%) build runs mutants .mypy_cache .ruff_cache .pytest_cache

$(DONE): requirements.lock pyproject.toml
	@echo "Installing the locked versions into .venv: a few minutes, once."
	@$(PYTHON) -m venv .venv
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(DONE)

# The libraries that the benchmarks run beside the engine.
$(PEERS): $(DONE) requirements-bench.lock
	@$(PIP) -r requirements-bench.lock
	@touch $(PEERS)

$(SITE): $(DONE) requirements-docs.lock
	@$(PIP) -r requirements-docs.lock
	@touch $(SITE)

$(MUTATION): $(DONE) requirements-mutation.lock
	@$(PIP) -r requirements-mutation.lock
	@touch $(MUTATION)

.venv-%/installed: pyproject.toml requirements.lock tests/bounds.py
	@echo "Installing the $* versions into .venv-$*: a few minutes, once."
	@$(if $(filter $(PYTHONS),$*),python$*,$(PYTHON)) -m venv --clear .venv-$*
	@$(PYTHON) -m tests.bounds $* > .venv-$*/wanted
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r .venv-$*/wanted
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
