# The project's commands. Each needs Python 3.11-3.14, make and git, and nothing else: .venv is made on the way.
# The first install takes a minute; a stamp with the hash of the pins makes the next ones instant (.ci/venv.py).

PY := .venv/bin/python
JOBS ?= 2
KILLS ?= 500
SEEDS ?= 100000
HOURS ?= 24
SCHEDULES ?= 2000
CODE := .ci/venv.py hatch_build.py $(wildcard src tests bench examples)
COMPILE = $(PY) -m uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet $(if $(UPGRADE),--upgrade)
PINS = $(COMPILE) pyproject.toml --group build

.DEFAULT_GOAL := help
.PHONY: help demo test ui ui-dev ui-test chromium check lint types layers format bench chaos soak simulate pins clean \
	venv-demo venv-test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: venv-demo ## Build the fintech lakehouse end to end (FORCE=1 rebuilds what is fresh)
	@cd examples/fintech && ../../$(PY) demo.py $(if $(FORCE),--force) $(DEMO_FLAGS)

test: venv-test chromium ## Run all tests (JOBS=2 processes; TEST_FLAGS="-k name" and the like)
	$(PY) -m pytest -n $(JOBS) --dist worksteal $(TEST_FLAGS)

ui: venv-test ## Build the web UI (installing does it, too), and say why where it cannot be
	$(PY) hatch_build.py

ui-test: venv-test chromium ## Check the web UI alone: types, components, journeys in a browser (TEST_FLAGS="--screenshots")
	$(PY) -m pytest tests/ui $(TEST_FLAGS)

ui-dev: venv-test ## Serve ui/ as it is written, for the `batuta up` at BATUTA_URL=http://127.0.0.1:8421
	$(PY) hatch_build.py vite

chromium:
	@.ci/chromium

check: venv-test ## Run the static checks, all of them: ruff, mypy, import contracts
	@$(MAKE) --no-print-directory --keep-going lint types layers

lint: venv-test
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)

types: venv-test
	$(PY) -m mypy $(CODE)

layers: venv-test
	.venv/bin/lint-imports

format: venv-test ## Format the code and mend what ruff can mend
	$(PY) -m ruff check --fix $(CODE)
	$(PY) -m ruff format $(CODE)

bench: venv-test ## Measure speed and memory (BENCH_FLAGS="--help" lists the choices)
	$(PY) -m bench $(BENCH_FLAGS)

chaos: venv-test ## Kill the service's processes, and the fintech job's engine, KILLS=500 times each; cut, fill, restart
	$(PY) -m pytest tests/chaos -m chaos --kills $(KILLS) --timeout 0 -s $(TEST_FLAGS)

soak: venv-test ## Let the service run HOURS=24 simulated hours of SCHEDULES=2000 schedules: nothing may grow
	$(PY) -m pytest tests/chaos/test_soak.py -s --timeout 0 --soak-hours $(HOURS) --soak-schedules $(SCHEDULES) $(TEST_FLAGS)

simulate: venv-test ## Run the simulation of the core over SEEDS=100000, or replay one: SEED=4711
	$(PY) -m pytest -m simulation $(if $(SEED),--seed $(SEED),-n $(JOBS) --seeds $(SEEDS)) $(TEST_FLAGS)

pins: venv-test ## Bring requirements/ in line with pyproject.toml (UPGRADE=1: newest versions)
	$(PINS) --extra dev --output-file requirements/test.txt
	$(PINS) --extra demo --constraint requirements/test.txt --output-file requirements/demo.txt
	$(PINS) --extra service --extra postgres --constraint requirements/test.txt --output-file requirements/service.txt
	$(COMPILE) --group dbt --output-file requirements/dbt.txt
	awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements/test.txt > requirements/uv.txt

clean: ## Remove .venv, caches and what the example built
	rm -rf .venv .venv-dbt build dist ui/node_modules src/batuta/server/static .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf .batuta examples/*/.batuta examples/*/lakehouse examples/*/out bench/results
	find src tests bench examples .ci -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

venv-demo venv-test: venv-%:
	@python=$$(PYTHON="$(PYTHON)" .ci/find-python) && "$$python" .ci/venv.py $*
