# Toets. `make help` lists what there is; each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo rehearse run test check docs screenshots format bench bench-admissions bench-crowd bench-exports bench-hosts bench-pages soak chaos browser clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## make .venv and install the project into it
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)

demo: setup ## a whole fieldwork on real parts: import, call, stop at 25, export (leaves var/demo)
	$(BIN)/ivr demo

rehearse: setup ## a season of 500 providers in virtual time against a hostile carrier (SEED=1, FAULTS=0.02)
	$(BIN)/ivr rehearse --providers $(or $(PROVIDERS),500) --seed $(or $(SEED),1) --faults $(or $(FAULTS),0.02)

run: setup ## start everything with the local carrier on http://127.0.0.1:8000, until Ctrl-C
	$(BIN)/ivr run

test: setup ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: setup ## format, lint, types, import contracts, documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: setup ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "file://$(CURDIR)/site/index.html"

screenshots: setup ## make the pictures of the documentation anew (needs a Chromium)
	IVR_WRITE_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

format: setup ## write the format and the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## the answer webhook beside the bare driver and Twilio's sample (ROUNDS=3), then admissions, hosts, exports
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'gunicorn>=23'
	$(BIN)/python scripts/bench/run.py --rounds $(or $(ROUNDS),3) --calls $(or $(CALLS),250)
	$(MAKE) --no-print-directory bench-admissions bench-hosts bench-exports

soak: setup ## many calls at once over real HTTP by a carrier that does its worst (CALLS=3000)
	TOETS_SOAK_CALLS=$(or $(CALLS),3000) $(BIN)/python -m pytest -q tests/web/test_voice_soak.py

chaos: setup ## kill, freeze and starve everything, on real processes; the same zeros (KILLS=200 SEED=1 DATABASE=both)
	$(BIN)/python -m scripts.chaos --kills $(or $(KILLS),200) --seed $(or $(SEED),1) --database $(or $(DATABASE),both)

bench-crowd: setup ## 1000 calls at once in real time over real HTTP by the local carrier (CALLS=1000 DATABASE=sqlite|postgres)
	$(BIN)/python scripts/bench/crowd.py --calls $(or $(CALLS),1000) --database $(or $(DATABASE),sqlite)

bench-admissions: setup ## admissions per second of 8 processes beside a bare transaction, on SQLite and PostgreSQL
	$(BIN)/python scripts/bench/admissions.py

bench-hosts: setup ## the same fieldworks by one web server and one worker, and by two and four, on PostgreSQL
	$(BIN)/python -m scripts.bench.hosts

bench-pages: setup ## milliseconds and kilobytes of the staff pages with 500 cells and 40 000 people
	$(BIN)/python scripts/bench/pages.py

bench-exports: setup ## the large files beside DuckDB, on SQLite and PostgreSQL (N=1000000 ROUNDS=1)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m scripts.bench_exports --interviews $(or $(N),1000000) --rounds $(or $(ROUNDS),1)

browser: setup ## install or find a Chromium for the browser tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -q -y chromium; \
	  else echo "Ask root for Debian's package 'chromium'; without it the browser tests are skipped." >&2; exit 1; fi; }

clean: ## remove what was made (not the environment)
	rm -rf var build dist site *.egg-info .pytest_cache .ruff_cache .hypothesis
