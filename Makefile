# make demo      set up what the app needs and open it
# make test      set everything up and pass the tests
# make mutants   changes of the code that tests have to notice; CORE=1 adds those that a tool makes
# make lock      requirements.lock anew; make audit asks what is known against its packages
# make check     the gate: format, lint, types, tests
# make coverage  what no test runs; fails below the floor of pyproject.toml
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/.tools
NODE := node_modules/.ready
# Two files of tests at a time.
SIDE_BY_SIDE := -n 2 --dist loadfile
CHECK_SCRIPTS := if [ -e $(NODE) ]; then npm run --silent check; fi
PACKAGES := app.py gemma_vision postprocess training benchmarks scripts serving tests

.PHONY: demo test test-all coverage check check-scripts format train bench fuzz mutants lock audit clean

demo: $(READY)
	$(BIN)/python app.py

test: $(TOOLS) $(NODE)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-all: $(TOOLS) $(NODE)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not gpu"

# Without the browser, whose app runs in a process of its own.
coverage: $(TOOLS)
	$(BIN)/python -m coverage run -m pytest -m "not slow and not gpu and not browser"
	$(BIN)/python -m coverage report

check: $(TOOLS) $(NODE)
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy
	@$(CHECK_SCRIPTS)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# The page's JavaScript: format and lint by Biome, types by TypeScript.
check-scripts: $(NODE)
	@$(CHECK_SCRIPTS)

format: $(TOOLS) $(NODE)
	$(BIN)/ruff format $(PACKAGES)
	$(BIN)/ruff check --fix $(PACKAGES)
	@if [ -e $(NODE) ]; then npm run --silent format; fi

# One set of drawings first, then many, then in larger pictures; each program goes on where an
# interrupted run of it stopped.
train: $(TOOLS)
	$(BIN)/python -m training.train --preset cpu --resume
	$(BIN)/python -m training.drawings.build runs/drawings
	$(BIN)/python -m training.widen --plan hands
	$(BIN)/python -m training.widen --plan sharp --base runs/hands/checkpoint
	$(BIN)/python -m training.widen --plan names --base runs/sharp/checkpoint
	$(BIN)/python -m training.widen --plan practice --base runs/names/checkpoint
	$(BIN)/python -m training.averaging runs/names/checkpoint runs/practice/checkpoint --share 0.67 --out runs/practised
	for seed in 3 4; do $(BIN)/python -m training.widen --plan artists --base runs/practised \
		--heads runs/practice --seed $$seed --runs runs/artists$$seed || exit; done
	$(BIN)/python -m training.averaging runs/artists3/checkpoint runs/artists4/checkpoint --out runs/artists
	for seed in 3 4; do $(BIN)/python -m training.widen --plan answers --base runs/artists \
		--heads runs/practice --seed $$seed --runs runs/answers$$seed || exit; done
	$(BIN)/python -m training.averaging runs/answers3/checkpoint runs/answers4/checkpoint --out runs/answers
	$(BIN)/python -m training.averaging runs/practised runs/answers --out runs/both
	for seed in 5 6; do $(BIN)/python -m training.widen --plan settle --base runs/both \
		--heads runs/answers3 --seed $$seed --runs runs/settle$$seed || exit; done
	$(BIN)/python -m training.averaging runs/settle5/checkpoint runs/settle6/checkpoint --out runs/settled
	$(BIN)/python -m training.averaging runs/practised runs/settled --share 0.7 --out runs/drawn
	for seed in 7 8; do $(BIN)/python -m training.widen --plan deeper --base runs/drawn \
		--heads runs/artists3 --seed $$seed --runs runs/deeper$$seed || exit; done
	$(BIN)/python -m training.averaging runs/deeper7/checkpoint runs/deeper8/checkpoint --out runs/deeper
	for seed in 7 8; do $(BIN)/python -m training.widen --plan retold --base runs/deeper \
		--heads runs/settle5 --seed $$seed --runs runs/retold$$seed || exit; done
	$(BIN)/python -m training.averaging runs/retold7/checkpoint runs/retold8/checkpoint --out runs/retold
	$(BIN)/python -m training.widen --plan deeper --stage export --base runs/drawn --runs runs/grown
	$(BIN)/python -m training.averaging runs/grown/checkpoint runs/retold --out runs/coloured
	for seed in 11 12; do $(BIN)/python -m training.widen --plan solids --base runs/coloured \
		--heads runs/deeper7 --seed $$seed --runs runs/solids$$seed || exit; done
	$(BIN)/python -m training.averaging runs/solids11/checkpoint runs/solids12/checkpoint --out runs/solids
	for seed in 11 12; do $(BIN)/python -m training.widen --plan recounted --base runs/solids \
		--heads runs/retold7 --seed $$seed --runs runs/recounted$$seed || exit; done
	$(BIN)/python -m training.averaging runs/recounted11/checkpoint runs/recounted12/checkpoint --out runs/recounted
	$(BIN)/python -m training.averaging runs/coloured runs/recounted --share 0.6 --out runs/rounded
	for seed in 13 14; do $(BIN)/python -m training.widen --plan solids --base runs/rounded \
		--heads runs/solids11 --seed $$seed --runs runs/solids$$seed || exit; done
	$(BIN)/python -m training.averaging runs/solids13/checkpoint runs/solids14/checkpoint --out runs/modelled
	for seed in 13 14; do $(BIN)/python -m training.widen --plan recounted --base runs/modelled \
		--heads runs/recounted11 --seed $$seed --runs runs/recounted$$seed || exit; done
	$(BIN)/python -m training.averaging runs/recounted13/checkpoint runs/recounted14/checkpoint --out runs/seen
	$(BIN)/python -m training.averaging runs/rounded runs/seen --share 0.4 --out runs/turned
	for seed in 15 16; do $(BIN)/python -m training.widen --plan solids --base runs/turned \
		--heads runs/solids13 --seed $$seed --runs runs/solids$$seed || exit; done
	$(BIN)/python -m training.averaging runs/solids15/checkpoint runs/solids16/checkpoint --out runs/lit
	for seed in 15 16; do $(BIN)/python -m training.widen --plan recounted --base runs/lit \
		--heads runs/recounted13 --seed $$seed --runs runs/recounted$$seed || exit; done
	$(BIN)/python -m training.averaging runs/recounted15/checkpoint runs/recounted16/checkpoint --out runs/told
	$(BIN)/python -m training.averaging runs/turned runs/told --share 0.5 --end 0.98 --out gemma_vision/checkpoints/tiny

# Changed bytes into every reader, for as long as it takes; what is found becomes a test.
fuzz: $(TOOLS)
	FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/python -m pytest -m "not gpu" tests/test_fuzz.py tests/test_fuzz_doors.py

# Single changes of the code, each of which a test has to notice: those of scripts/mutants.toml whose
# name holds WORD, then those that a tool makes of the core (its report: `cosmic-ray` in MUTANTS).
MUTANTS ?= .mutants.sqlite
mutants: $(TOOLS)
	$(BIN)/python scripts/mutants.py $(WORD)
	@if [ -n "$(CORE)" ]; then $(BIN)/pip install --quiet cosmic-ray==8.7.0 && \
	rm -f $(MUTANTS) && $(BIN)/cosmic-ray init scripts/mutants_core.toml $(MUTANTS) && \
	$(BIN)/cosmic-ray exec scripts/mutants_core.toml $(MUTANTS) && $(BIN)/cr-rate $(MUTANTS); fi

# What an installation of the app comes to, to the last package, with hashes; and what is known
# against any of it.
lock:
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv==0.13.9
	$(VENV)-lock/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header \
	--extra app --extra mcp --extra limits --constraint requirements.txt \
	pyproject.toml requirements.txt --output-file requirements.lock
	$(BIN)/python scripts/list_licences.py

audit:
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet pip-audit==2.10.1
	$(VENV)-lock/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip

bench: $(TOOLS)
	$(BIN)/python -m benchmarks

# On a machine with CUDA, torch and transformers, whatever Python has them; under ten minutes.
bench-gpu:
	$(if $(wildcard $(READY)),$(BIN)/python,$(PYTHON)) -m benchmarks.speed.gpu --json build/bench-gpu.json

clean:
	rm -rf $(VENV) $(VENV)-lock $(MUTANTS) node_modules build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# What the program needs; `pip` shows how far it is, for torch is large.
$(READY): requirements.txt pyproject.toml scripts/check_machine.py
	@$(PYTHON) scripts/check_machine.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --requirement requirements.txt --editable .
	@touch $@

# And what tests and checks need beside it.
$(TOOLS): $(READY)
	@$(PYTHON) scripts/check_machine.py --tests
	$(BIN)/pip install --quiet --requirement requirements.txt --editable ".[dev]"
	@touch $@

# Biome and TypeScript, and the client of the JavaScript snippet in docs/api.md. Python alone does
# without them: what needs them is skipped and says so, but not in CI.
$(NODE): package.json package-lock.json
	@if ! command -v npm > /dev/null; then echo "npm is not here: the page's scripts are not checked"; \
	elif npm ci --ignore-scripts --silent; then touch $@; \
	else echo "npm could not fetch the tools for the page's scripts"; test -z "$$CI"; fi
