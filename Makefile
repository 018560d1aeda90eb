# Two commands do everything, set-up included:  make demo   make test
SCENARIO ?= $(if $(filter demo,$(MAKECMDGOALS)),image-renditions,all)
TARGET ?= local
PYTEST_ARGS ?=
# Of the tests: one more than two processors, since journeys mostly wait. Each has a local cloud, and takes 2.5 GB.
WORKERS ?= 3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check journey grants synth bench docs picture snapshots lock down clean

# The newest Python from 3.11 on; say PYTHON=... to choose.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# Node, npm, uv and all tools come from the environment; nothing of the machine is needed but Python and make.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Local state must not leak into the tools that fetch packages, nor the machine's account into the local cloud.
CLEAN = env -u AWS_PROFILE -u AWS_CA_BUNDLE -u AWS_ENDPOINT_URL
UV = $(CLEAN) .venv/bin/uv --no-config --no-progress
LOG = build/setup.log
run_or_say = { $(1); } >>$(LOG) 2>&1 || { tail -n 4 $(LOG) >&2; echo "error: $(2); the whole output is in $(LOG)" >&2; exit 1; }

help: ## Show this list.
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/\1\t\2/p' Makefile | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: setup ## Deploy SCENARIO (image-renditions) to the local cloud and run its journey.
	@.venv/bin/python -m localcloud run $(SCENARIO)

test: setup ## Pass the tests, journeys included.
	@.venv/bin/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

check: setup ## ruff, format, mypy strict, layers, hadolint; cdk-nag and cfn-lint on every template.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/repo/test_layers.py tests/repo/test_dockerfiles.py tests/repo/test_rules.py

journey: setup ## Run journeys: SCENARIO=<key>|all TARGET=local|aws
ifeq ($(TARGET),aws)
	@.venv/bin/python -m journeys $(SCENARIO)
else ifeq ($(TARGET),local)
	@.venv/bin/python -m localcloud run $(SCENARIO)
else
	@echo "error: TARGET: must be local or aws, got '$(TARGET)'" >&2; exit 2
endif

grants: setup ## Take each grant of the functions of SCENARIO (all) away: its journey must fail.
	@.venv/bin/python -m localcloud grants $(SCENARIO)

synth: setup ## Synthesize SCENARIO (all) into cdk.out.
	@node_modules/.bin/cdk synth --quiet $(if $(filter all,$(SCENARIO)),,-c scenario=$(SCENARIO)) && ls cdk.out/*.template.json

bench: setup ## Measure, as ratios in one run; results in benchmarks/results.json.
	@.venv/bin/python -m benchmarks

docs: setup ## Rewrite the generated parts of the README.
	@.venv/bin/python -m tests.repo.readme

picture: setup ## Draw runs for the README.
	@.venv/bin/python -m localcloud run image-renditions --picture web/demo.svg
	@.venv/bin/python -m localcloud run network --picture web/network.svg

snapshots: setup ## Accept the templates as they are now.
	@.venv/bin/python -m pytest -q tests/stacks/test_snapshots.py --snapshot-update

lock: setup ## Resolve all pinned requirements anew.
	@$(UV) pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header -o requirements.txt
	@$(UV) pip compile -q localcloud/requirements.in --universal --python-version 3.11 --generate-hashes --no-header -o localcloud/requirements.txt
	@# Lambda brings botocore: a copy in a layer would only be larger and of another version than its boto3.
	@for f in lambda_src/*/requirements.in; do $(UV) pip compile -q $$f --universal --python-version 3.11 --generate-hashes \
		--no-header --emit-build-options --no-emit-package botocore -o $${f%.in}.txt || exit 1; done
	@# The versions that they are tested with; nothing is there already, so botocore is listed.
	@for f in container_src/*/requirements.in; do $(UV) pip compile -q $$f --universal --python-version 3.11 --generate-hashes \
		--no-header --emit-build-options -c requirements.txt -o $${f%.in}.txt || exit 1; done

down: setup ## Stop what this checkout left running.
	@.venv/bin/python -m localcloud down

clean: ## Remove environments, state, caches and output.
	@if [ -x .venv/bin/python ] && [ -d build/local ]; then .venv/bin/python -m localcloud down >/dev/null 2>&1 || true; fi
	@rm -rf .venv .venv-localcloud node_modules build cdk.out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: .venv/.ready .venv-localcloud/.ready node_modules/.ready

.venv/.ready: requirements.txt
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is needed; found: $$(python3 --version 2>&1)" >&2; exit 1; }
	@mkdir -p build
	@echo "Setting up .venv with $$($(PYTHON) --version) (once) ..."
	@test -x .venv/bin/uv || $(call run_or_say,rm -rf .venv && $(PYTHON) -m venv .venv && $(CLEAN) .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.txt),Python's venv or the package index could not be used: is the network reachable and python3-venv installed)
	@$(call run_or_say,$(UV) pip sync --compile-bytecode --require-hashes --python .venv/bin/python requirements.txt,the packages could not be installed: is the network reachable and has this machine what the README asks for)
	@touch $@

.venv-localcloud/.ready: localcloud/requirements.txt .venv/.ready
	@echo "Setting up the local cloud (once) ..."
	@$(call run_or_say,test -x .venv-localcloud/bin/python || $(UV) venv --clear --python .venv/bin/python .venv-localcloud,the local cloud's environment could not be made)
	@$(call run_or_say,$(UV) pip sync --compile-bytecode --require-hashes --python .venv-localcloud/bin/python localcloud/requirements.txt,the local cloud could not be installed: is the network reachable)
	@touch $@

node_modules/.ready: package.json package-lock.json .venv/.ready
	@echo "Setting up the CDK command line (once) ..."
	@$(call run_or_say,$(CLEAN) .venv/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error,the CDK command line could not be installed: is the network reachable)
	@touch $@
