# Every target creates what it needs. Only Python 3.11 or later, git and a network connection are required.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
export PYTHON

BIN := .venv/bin
READY := .venv/.ready
# An environment with the lowest versions that pyproject.toml allows.
LOWEST := .venv-lowest
# An environment with what builds the site of the documentation.
SITE := .venv-docs
# By file, because the tests of a file may share a local world.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
# The journeys that take longest begin first, so that no worker is left with one of them at the end.
LONG := tests/repository tests/journeys tests/laws
SHORT := $(filter-out $(LONG) tests/conftest.py tests/support %__pycache__,$(wildcard tests/*))
# What decides has its coverage checked, by its own tests, those of the stages, and of some commands that show what it
# says. All other tests run without measuring, which takes almost as long as the tests, but for those of the repository
# that `make lint` runs.
MEASURED := $(addprefix tests/,artifacts core dists images provenance publish sbom scanning stages versioning \
	adapters/registry/test_referrers.py advice/test_tags.py \
	cli/test_clean.py cli/test_partial_states.py cli/test_undo_run.py)
UNMEASURED := $(shell grep -l 'mark\.journey' tests/repository/test_*.py) tests/journeys tests/laws \
	$(filter-out $(MEASURED),$(SHORT)) $(addprefix --ignore=,$(filter %.py,$(MEASURED)))
# Files with journeys take longest, so they begin first here, too.
MEASURED_FILES := $(shell grep -rl --include='test_*.py' 'mark\.journey' $(MEASURED))
MEASURED_FILES += $(filter-out $(MEASURED_FILES),$(shell find $(MEASURED) -name 'test_*.py' | sort))
# mypy judges the code for each system that it runs on.
TYPES := $(addprefix types-,linux darwin win32)
# If no container engine is available, a message says so, and everything that needs one is skipped with a message.
WITH_ENGINE := docker/engine.sh with --optional

# Bytecode makes every start faster, but some machines turn it off.
unexport PYTHONDONTWRITEBYTECODE
# Linters that call other linters find those of this environment first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test chaos test-unit test-journeys test-lowest coverage test-unmeasured lint lint-imports lint-workflows lint-scripts format docs site bench soak pins clean $(TYPES)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(READY): pyproject.toml tools/environment.sh
	@tools/environment.sh .venv
	@touch $@

demo: $(READY) ## Release a small package and its images, twice, to a local world (takes a minute or two)
	@$(WITH_ENGINE) examples/demo.sh

# With MEASURE=1 the coverage is checked, too, and the tests that `make lint` runs are left out.
ifdef MEASURE
test: coverage test-unmeasured
else
test: test-unit ## Run all tests: the fast ones, then the journeys
	@$(WITH_ENGINE) $(MAKE) --no-print-directory test-journeys
endif

test-journeys: $(READY)
	@[ -z "$$DOCKER_HOST" ] || docker/base-image.sh --pull || [ $$? -eq 69 ]
	$(PYTEST) --no-loadscope-reorder -m journey $(LONG) $(SHORT) --session-timeout=1200

chaos: $(READY) ## Lose the machine between any two stages, and kill releases anywhere (takes about half an hour)
	@[ -z "$$DOCKER_HOST" ] || docker/base-image.sh --pull || [ $$? -eq 69 ]
	CHAOS=1 $(WITH_ENGINE) $(PYTEST) -m journey tests/journeys/test_act.py tests/journeys/test_boundaries.py tests/journeys/test_chaos.py \
		tests/journeys/test_images.py tests/journeys/test_kill.py \
		tests/journeys/test_released_service.py

test-unit: $(READY) ## Run the fast tests
	$(PYTEST) -m "not journey" --session-timeout=1200

$(LOWEST)/.ready: pyproject.toml tools/environment.sh
	@tools/environment.sh $(LOWEST) --group test --resolution lowest-direct
	@touch $@

test-lowest: export PATH := $(CURDIR)/$(LOWEST)/bin:$(PATH)
test-lowest: $(LOWEST)/.ready ## Run the fast tests that judge the use of a library, with the lowest allowed versions
	files=$$($(LOWEST)/bin/python -m tools.lowest_tests) && \
		$(LOWEST)/bin/pytest -n 2 --dist loadfile -m "not journey" $$files --session-timeout=1200

# Only the tests of single packages count: a whole release runs a lot of code without checking it.
coverage: $(READY) ## Run the tests of the packages that decide, and check their coverage
	@[ -z "$$DOCKER_HOST" ] || docker/base-image.sh --pull || [ $$? -eq 69 ]
	$(BIN)/coverage erase
	$(WITH_ENGINE) $(BIN)/coverage run -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(MEASURED_FILES) --session-timeout=1800
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o - | $(BIN)/python tools/coverage_floor.py

# With a worker more than elsewhere: whole releases often wait for the engine and for servers.
test-unmeasured: $(READY) ## Run the tests that neither coverage nor lint runs, whole releases among them
	@$(WITH_ENGINE) $(PYTEST) -n 3 --no-loadscope-reorder $(UNMEASURED) --session-timeout=3600

# A cache for each system: a shared one would be thrown away each time.
$(TYPES): types-%: $(READY)
	$(BIN)/mypy --platform $* --cache-dir .mypy_cache/$* src tests bench tools

# What takes one processor runs in pairs; the type checkers begin first, because they take longest.
lint: $(READY) ## Run the linters and type checkers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j 2 $(TYPES) lint-imports lint-workflows lint-scripts site
	$(PYTEST) -q -m "not journey" tests/repository

lint-imports: $(READY)
	$(BIN)/lint-imports --no-logo

lint-workflows: $(READY)
	$(BIN)/zizmor --offline --quiet --persona=pedantic --strict-collection .github
	$(BIN)/jactionlint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

lint-scripts: $(READY)
	$(BIN)/shellcheck $$(grep -rlIE '^#!.*[/ ](ba)?sh$$' .ci bench docker examples tools)
	$(BIN)/hadolint --no-color $$(find Dockerfile examples -name Dockerfile)

format: $(READY) ## Fix and format the code with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## Generate the reference pages, check links, commands and changelog fragments, and build the site
	$(BIN)/python -m tools.reference
	$(BIN)/python -m unmoor.config.schema docs/reference
	$(BIN)/pytest -q tests/repository -k "docs or changelog"
	$(BIN)/towncrier build --draft --version NEXT
	@$(MAKE) --no-print-directory site

$(SITE)/.ready: pyproject.toml | $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SITE)
	$(BIN)/uv pip install --quiet --python $(SITE)/bin/python --group docs
	@touch $@

site: $(SITE)/.ready ## Build the site of the documentation into build/docs; a warning or a broken link is an error
	$(SITE)/bin/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --jobs 2 -d .cache/doctrees docs build/docs

bench: $(READY) ## Measure speed and memory against other tools, in the same run
	$(BIN)/python -m bench.startup
	$(WITH_ENGINE) $(BIN)/python -m bench.rehearsal
	$(BIN)/python -m bench.check_dists
	$(BIN)/python -m bench.docs
	$(BIN)/python -m bench.uploads
	$(BIN)/python -m bench.signing
	$(BIN)/python -m bench.verify
	$(BIN)/python -m bench.memory
	$(BIN)/python -m bench.history
	$(BIN)/python -m bench.workflows
	$(BIN)/python -m bench.checks
	$(BIN)/python -m bench.compare
	$(BIN)/python -m bench.fetch
	$(BIN)/python -m bench.space
	$(BIN)/python -m bench.fault_layer
	$(BIN)/python -m bench.chaos
	$(BIN)/python -m bench.report
	$(WITH_ENGINE) $(BIN)/python -m bench.service

soak: $(READY) ## Release 200 versions into one local world, and see whether anything piles up (takes about a quarter of an hour)
	$(BIN)/python -m bench.soak

# $(call pins,PYTHON,WHO): the dependencies with versions and hashes, for a version of Python.
define pins
	{ printf '# %s\n' 'Generated by "make pins": what $(2). Versions and hashes, no addresses.' && \
	  $(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --only-binary :all: --no-emit-index-url \
		--python-version $(1) --python-platform linux pyproject.toml; }
endef

pins: $(READY) ## Update the pinned versions that the release jobs and the image install
	$(call pins,3.13,the release jobs install besides unmoor) > .ci/tool-requirements.txt
	$(call pins,3.11,the image installs besides unmoor) > docker/requirements.txt

clean: ## Remove all generated files
	docker/engine.sh stop
	rm -rf .venv $(LOWEST) $(SITE) .cache .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	rm -rf src/*.egg-info src/unmoor/_version.py
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} +
