# Every target makes what it needs: a Python from 3.11 on, git and a network are enough.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
export PYTHON

BIN := .venv/bin
READY := .venv/.ready
# With the lowest version of everything that pyproject.toml allows.
LOWEST := .venv-lowest
# By file: the tests of one file may share a world, one after the other.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
WHOLE := tests/journeys tests/laws tests/repository
# Where no engine can be had it says so, and what needs one says what it leaves out.
WITH_ENGINE := docker/engine.sh with --optional

# Bytecode makes every start faster; some machines turn it off for everybody.
unexport PYTHONDONTWRITEBYTECODE
# Linters that call other linters find ours first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test test-unit test-journeys test-lowest coverage test-whole lint format docs bench pins clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(READY): pyproject.toml tools/environment.sh
	@tools/environment.sh .venv
	@touch $@

demo: $(READY) ## Release a small package and its images, twice, into a world of its own (a minute or two)
	@$(WITH_ENGINE) examples/demo.sh

test: test-unit ## All tests: the quick ones, then the journeys
	@$(WITH_ENGINE) $(MAKE) --no-print-directory test-journeys

test-journeys: $(READY)
	@[ -z "$$DOCKER_HOST" ] || docker/base-image.sh --pull || [ $$? -eq 69 ]
	$(PYTEST) -m journey --session-timeout=1200

test-unit: $(READY) ## The quick tests
	$(PYTEST) -m "not journey" --session-timeout=400

$(LOWEST)/.ready: pyproject.toml tools/environment.sh
	@tools/environment.sh $(LOWEST) --group test --resolution lowest-direct
	@touch $@

test-lowest: export PATH := $(CURDIR)/$(LOWEST)/bin:$(PATH)
test-lowest: $(LOWEST)/.ready ## The quick tests again, with the oldest dependencies that are allowed
	$(LOWEST)/bin/pytest -n 2 --dist loadfile -m "not journey" --ignore=tests/repository --session-timeout=400

# Measured is what tests the rooms, quick or not; whole releases run unmeasured, since a room is not tested by passing through.
coverage: $(READY) ## The tests of the rooms, and how much of each they run; a room that decides has a floor
	@[ -z "$$DOCKER_HOST" ] || docker/base-image.sh --pull || [ $$? -eq 69 ]
	$(BIN)/coverage erase
	$(WITH_ENGINE) $(BIN)/coverage run -m pytest -n 2 --dist loadfile $(addprefix --ignore=,$(WHOLE)) --session-timeout=1200
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o - | $(BIN)/python tools/coverage_floor.py

test-whole: $(READY) ## The tests that coverage leaves out: whole releases, and the repository
	@$(WITH_ENGINE) $(PYTEST) $(WHOLE) --session-timeout=1200

lint: $(READY) ## Everything that can be judged without running it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tests bench tools
	$(BIN)/lint-imports --no-logo
	$(BIN)/zizmor --offline --quiet --persona=pedantic --strict-collection .github
	$(BIN)/jactionlint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/shellcheck $$(grep -rlIE '^#!.*\<(ba)?sh$$' .ci bench docker examples tools)
	$(BIN)/hadolint --no-color $$(find Dockerfile examples -name Dockerfile)
	$(BIN)/pytest -q -m "not journey" tests/repository

format: $(READY) ## Let ruff mend and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## Check the documentation: links, commands, changelog fragments
	$(BIN)/python -m tools.reference
	$(BIN)/python -m unmoor.config.schema docs/reference
	$(BIN)/pytest -q tests/repository -k "docs or changelog"
	$(BIN)/towncrier build --draft --version NEXT

bench: $(READY) ## Measure ours against other ways: start-up, rehearsals, checks, uploads; and the memory of a large release
	$(BIN)/python -m bench.startup
	$(WITH_ENGINE) $(BIN)/python -m bench.rehearsal
	$(BIN)/python -m bench.check_dists
	$(BIN)/python -m bench.uploads
	$(BIN)/python -m bench.memory

# $(call pins,PYTHON,FOR): what we need, by version and hash, for a Python.
define pins
	{ printf '# %s\n' 'Made by "make pins": what $(2). Versions and hashes, no addresses.' && \
	  $(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --only-binary :all: --no-emit-index-url \
		--python-version $(1) --python-platform linux pyproject.toml; }
endef

pins: $(READY) ## Look for newer versions of what the release jobs and our image install
	$(call pins,3.13,the release jobs install beside the tool) > .ci/tool-requirements.txt
	$(call pins,3.11,our image installs beside the tool) > docker/requirements.txt

clean: ## Remove everything that can be made again
	docker/engine.sh stop
	rm -rf .venv $(LOWEST) .cache .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	rm -rf src/*.egg-info src/unmoor/_version.py
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +
