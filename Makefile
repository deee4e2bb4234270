# Agor for Jupyter. `make` alone lists the targets.
VENV   ?= .venv
PY     := $(VENV)/bin/python
BIN    := $(VENV)/bin
PORT   ?= 8888
STAMP  := $(VENV)/.stamp
SLOW   := gemini
# The tests share two cores with hundreds of real processes: a case that fails is tried once more, and the summary names it.
TRIED_AGAIN := -q --reruns 1 -rfER
JS     := $(shell find js/src js/package.json js/package-lock.json js/build.mjs -type f 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)
.DEFAULT_GOAL := help
.PHONY: help demo test check lint fix types property bench bench-hundredfold bench-agents browser-tools sandbox-tools clean test-agents test-beside test-services
.DELETE_ON_ERROR:

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(PY):
	python3 -m venv $(VENV)

$(STAMP): $(PY) pyproject.toml hatch_build.py $(JS)
	$(BIN)/pip install -q --disable-pip-version-check -e ".[dev]"
	touch $@

browser-tools:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { as_root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    $$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } || \
	  { echo "Chromium is missing and could not be installed. Install the package chromium, then run this again." >&2; exit 1; }

sandbox-tools:
	@{ command -v bwrap && command -v git-lfs; } >/dev/null || \
	  { as_root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    $$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap git-lfs; } || \
	  { echo "bubblewrap or git-lfs is missing and could not be installed. Install these packages, then run this again." >&2; exit 1; }

demo: $(STAMP)  ## Make a sample project and start JupyterLab on the quick start
	$(PY) -m agor_jupyter.cli demo --folder .demo --port $(PORT)

test: $(STAMP) browser-tools sandbox-tools  ## Install what the tests need, then run make check
	$(MAKE) --no-print-directory check

check: $(STAMP)  ## Lint, types, layers and all tests: exactly what CI runs
	$(MAKE) --no-print-directory lint
	cd js && npm test --silent
	$(PY) -m pytest $(TRIED_AGAIN) --ignore=tests/browser -n 3 --dist loadfile --no-loadscope-reorder  # most of a test is waiting for processes
	$(PY) -m pytest $(TRIED_AGAIN) tests/browser  # apart: Playwright keeps an event loop running in its thread

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py
	$(PY) scripts/make_types.py --check
	$(PY) scripts/make_agents_table.py --check
	$(PY) scripts/make_workflow_tables.py --check
	$(PY) scripts/make_settings_schema.py --check
	cd js && npm run --silent check

fix: $(STAMP)  ## Repair what a machine can: format, import order
	-$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd js && npm run --silent fix

types: $(STAMP)  ## Write the types of the front end and the tables of the agents and their tools from the models
	$(PY) scripts/make_types.py
	$(PY) scripts/make_agents_table.py
	$(PY) scripts/make_workflow_tables.py
	$(PY) scripts/make_settings_schema.py

property: $(STAMP)  ## Try 2,000 random states of worktrees: archive and restore, and remove (AGOR_EXAMPLES, AGOR_SEED)
	AGOR_EXAMPLES=$${AGOR_EXAMPLES:-2000} $(PY) -m pytest -q -n 3 --timeout 7200 $$(find tests -name "test_*_property.py")

bench: $(STAMP)  ## Measure, print a table, write build/bench.json
	$(PY) -m benchmarks

bench-hundredfold: $(STAMP)  ## Search, and the server's rows at a hundred times the size: half an hour and 7 GB for the first time
	$(PY) -m benchmarks hundredfold

bench-agents: $(STAMP)  ## What our engine costs on top of each real agent: a table, and build/bench-agents.json
	$(PY) -m harness.install
	$(PY) -m benchmarks agents

test-agents: $(STAMP) browser-tools sandbox-tools  ## Install the real agents in a cache and run the same cases with each (AGOR_AGENTS_CACHE, ~1.5 GB)
	$(PY) -m harness.install
	@mkdir -p build
	@$(PY) -m pytest $(TRIED_AGAIN) -m "" tests/real_agents -k "not ($(SLOW))" >build/test-agents.log 2>&1 & first=$$!; \
	  $(PY) -m pytest $(TRIED_AGAIN) -m "" tests/real_agents -k "$(SLOW)"; second=$$?; \
	  wait $$first; first=$$?; cat build/test-agents.log; \
	  $(PY) -m pytest $(TRIED_AGAIN) -m agent tests/browser; third=$$?; \
	  exit $$((first + second + third))

test-services: $(STAMP) browser-tools  ## Install dbt, Streamlit, Dagster and Airflow in a cache and open each through the server (AGOR_SERVICES_CACHE, ~1 GB)
	$(PY) -m harness.services
	$(PY) -m pytest $(TRIED_AGAIN) -m services tests/browser

test-beside: $(STAMP)  ## By hand: try the wheel beside Jupyter AI and jupyter-server-documents, and with disable_rtc
	$(PY) scripts/test_beside.py

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) js/node_modules js/lib agor_jupyter/static agor_jupyter/labextension build dist .demo
