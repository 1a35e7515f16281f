# Needs make, Python 3.11 or newer and a package index; nothing else. `make` lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
PORT ?= 8000
# Test processes at the same time, and what to test: make test JOBS=4 ARGS="tests/hunts -k plan"
JOBS ?= 2
ARGS ?=
RUN := .venv/bin/python -m
export PYTHONUTF8 := 1

.PHONY: help demo test test-external lint css lock clean run-venv dev-venv

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: run-venv ## Runs Footprint on this machine with demo people and telemetry (PORT=8000)
	@exec .venv/bin/python manage.py up --demo --port "$(PORT)"

test-external: dev-venv ## Lets other programs load what is written for them (needs named-checkzone: bind9-utils)
	@exec $(RUN) pytest -q tests/external/programs.py

test: lint ## Lints, then runs every test against real servers and a real browser
	@exec $(RUN) pytest -n $(JOBS) $(ARGS)

lint: dev-venv ## Checks style, types, layers, templates, migrations and container files
	@$(RUN) ruff check --quiet --output-format concise .
	@$(RUN) ruff format --quiet --check .
	@$(RUN) mypy
	@.venv/bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo
	@$(RUN) djlint --quiet --lint templates
	@.venv/bin/python -W ignore manage.py makemigrations --check --dry-run
	@.venv/bin/hadolint docker/Dockerfile
	@$(RUN) check_jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml

css: run-venv ## Compiles the style sheet
	@.venv/bin/python manage.py css

lock: dev-venv ## Writes requirements/*.lock anew from pyproject.toml
	@$(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    --no-emit-index-url --only-binary :all: --upgrade --extra machine pyproject.toml -o requirements/run.lock
	@$(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    --no-emit-index-url --only-binary :all: --upgrade --constraint requirements/run.lock \
	    --extra machine --extra dev pyproject.toml -o requirements/dev.lock

clean: ## Removes what was made: virtual environment, caches, compiled files. The data in var stays
	@rm -rf .venv build static .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

run-venv:
	@requirements/make-venv run

dev-venv:
	@requirements/make-venv dev
