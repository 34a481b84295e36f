# make demo    set everything up and open the app
# make test    set everything up and pass the tests
# make check   the gate: format, lint, types, tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SNIPPET := tests/javascript
CLIENT := $(SNIPPET)/node_modules/.package-lock.json
PACKAGES := app.py gemma_vision postprocess training benchmarks scripts tests

.PHONY: demo test test-all check format train bench clean

demo: $(READY)
	$(BIN)/python app.py

test: $(READY) $(CLIENT)
	$(BIN)/python -m pytest

test-all: $(READY) $(CLIENT)
	$(BIN)/python -m pytest -m "not gpu"

check: $(READY)
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy
	@$(MAKE) --no-print-directory test

format: $(READY)
	$(BIN)/ruff format $(PACKAGES)
	$(BIN)/ruff check --fix $(PACKAGES)

# All stages: close to three hours of two cores; goes on where an interrupted run stopped.
train: $(READY)
	$(BIN)/python -m training.train --preset cpu --resume --out gemma_vision/checkpoints/tiny

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(SNIPPET)/node_modules build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): requirements.txt pyproject.toml scripts/check_machine.py
	@$(PYTHON) scripts/check_machine.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $(READY)

# For the test of the JavaScript snippet in docs/api.md; without npm it is skipped and says so.
$(CLIENT): $(SNIPPET)/package.json $(SNIPPET)/package-lock.json
	@if ! command -v npm > /dev/null; then echo "npm is not here: no JavaScript client"; \
	elif npm ci --prefix $(SNIPPET) --ignore-scripts --silent; then touch $@; \
	else echo "npm could not fetch the JavaScript client"; fi
