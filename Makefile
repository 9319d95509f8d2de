# Every target sets up what it needs in .venv; nothing is installed twice. CONTRIBUTING.md says more.

PYTHON ?= python3
PORT ?= 8888
# BROWSER=none keeps `make demo` from opening a browser; any other value is Python's usual choice of browser.
BROWSER ?=
MINUTES ?= 30

VENV := .venv
BIN := $(VENV)/bin
NPM := $(BIN)/python scripts/npm.py
JS_SOURCES := $(shell find js -name node_modules -prune -o -type f -print)

.DEFAULT_GOAL := help
.PHONY: help demo test release-check versions lint types format test-python test-js test-packaging test-browser test-grading docs site assignments coverage mutation bench soak replicate screenshots build clean bundle chromium

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## open the first notebook in JupyterLab (PORT=8888, BROWSER=none to print the address only)
	JUPYTERLAB_WORKSPACES_DIR=$(CURDIR)/$(VENV)/workspaces $(BIN)/python -m jupyterlab \
	  --port=$(PORT) --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/01_rnnbow.ipynb \
	  --LabApp.app_settings_dir=scripts/jupyterlab --LabApp.extension_manager=readonly \
	  $(if $(filter none,$(BROWSER)),--no-browser) $(if $(filter 0,$(shell id -u)),--allow-root)

test: lint types test-python test-grading test-js docs test-packaging test-browser ## set up and pass everything

lint: $(VENV)/.test ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(NPM) run lint

types: $(VENV)/.test ## check types
	$(BIN)/mypy
	for conftest in tests/*/conftest.py; do $(BIN)/mypy $$conftest || exit 1; done
	$(NPM) run typecheck

format: $(VENV)/.test ## format everything, and fix what can be fixed by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(NPM) exec -- biome check --write .

test-python: $(VENV)/.test ## Python tests: no browser, no build
	$(BIN)/pytest -m "not browser and not packaging and not grading and not wire"

test-grading: $(VENV)/.test ## assignments, all the way through nbgrader and otter-grader
	$(BIN)/pytest tests/test_graders.py

test-js: $(VENV)/.test ## front-end tests in Node.js, alone and together with the kernel's half
	$(NPM) run test
	$(BIN)/pytest tests/wire

test-packaging: bundle ## what the wheel and the sdist hold
	$(BIN)/pytest tests/packaging

test-browser: bundle chromium ## the widget in JupyterLab and other hosts in Chromium
	$(BIN)/pytest tests/browser

docs: bundle ## the documentation site in docs/_build/html: strict, and no broken link
	rm -rf docs/_build
	$(BIN)/python scripts/gallery.py docs/_build/extra/live
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --conf-dir docs \
	  --doctree-dir docs/_build/doctrees --builder html . docs/_build/html
	$(BIN)/python scripts/check_site.py docs/_build/html

site: bundle ## a JupyterLite site of the notebooks in dist/site, which a browser runs alone (PYODIDE=folder: another Pyodide)
	$(BIN)/python scripts/lite_site.py dist/site $(if $(PYODIDE),--pyodide $(PYODIDE))

assignments: $(VENV)/.test ## students' versions of the assignments in dist/assignments, for nbgrader and otter-grader
	$(BIN)/python scripts/assignments.py dist/assignments

soak: bundle chromium ## kernel, run files and pages in any order of events, and a monkey at JupyterLab (MINUTES=30, SEED=9): two hours
	$(BIN)/pytest tests/wire --hypothesis-profile=soak
	$(BIN)/pytest tests/browser/test_monkey.py --monkey-minutes=$(MINUTES) $(if $(SEED),--monkey-seed=$(SEED))

coverage: $(VENV)/.test ## lines and branches that tests reach, module by module, and whether these are enough
	$(BIN)/coverage run -m pytest -m "not browser and not packaging and not grading and not wire"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage json --quiet -o - | $(BIN)/python scripts/check_coverage.py
	$(NPM) run coverage

mutation: $(VENV)/.mutation ## whether tests notice small changes of the cells and of itemized BPTT
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/mutmut run --max-children 1
	$(BIN)/python scripts/mutants.py

bench: bundle chromium ## measure against peers, on one BLAS thread
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m benchmarks

replicate: $(VENV)/.test ## train published results again and write docs/replication.md: 10 minutes
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m benchmarks.replicate $(if $(KERNEL),--kernel $(KERNEL))

screenshots: bundle chromium ## take the pictures of the README and of docs/architecture.md again
	$(BIN)/python scripts/screenshots.py

release-check: bundle chromium $(VENV)/.release ## whether a release is fit to be uploaded, as a table
	$(BIN)/python scripts/release_check.py

versions: $(VENV)/.release chromium ## tests with the oldest and newest dependencies, on every Python here; writes docs/versions.md
	$(BIN)/python scripts/versions.py

build: $(VENV)/.test ## wheel and sdist in dist/
	$(BIN)/python -m build

clean: ## remove everything that make made
	rm -rf $(VENV) dist docs/_build js/node_modules rnnbow_widget/static tests/browser/failures
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bundle: $(VENV)/.test
	$(BIN)/python -m hatchling build --hooks-only --target wheel

chromium: $(VENV)/.test
	$(BIN)/python scripts/chromium.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rnnbow_widget needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp for each extra of pyproject.toml. Installing also bundles the front end, so the demo follows its sources;
# the tests have the target `bundle`, which is quicker.
$(VENV)/.demo: $(JS_SOURCES)
$(VENV)/.demo $(VENV)/.mutation $(VENV)/.release $(VENV)/.test: $(VENV)/.%: pyproject.toml hatch_build.py constraints.txt | $(BIN)/python
	@echo "Installing rnnbow_widget[$*] into $(VENV): this takes a minute or two."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@
