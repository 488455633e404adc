# Every target first makes the one virtual environment, .venv, from the locked versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DONE := .venv/installed
PEERS := .venv/peers-installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint docs bench bench-full check-full clean

demo: $(DONE)
	$(BIN)/allocator solve scenarios/sme-302.yaml --out runs/demo --force
	$(BIN)/allocator verify runs/demo

test: $(DONE)
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --durations=10

lint: $(DONE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DONE)
	$(BIN)/python -m docs.build

bench: $(PEERS)
	$(BIN)/python -m benchmarks run

bench-full: $(PEERS)
	$(BIN)/python -m benchmarks run --full

check-full: $(DONE)
	$(BIN)/python -m tests.check_full

clean:
	rm -rf .venv runs .mypy_cache .ruff_cache .pytest_cache

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
