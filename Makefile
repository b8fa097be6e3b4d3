# `make` alone lists what there is to make.
.DEFAULT_GOAL := help
.PHONY: help up test check lock clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SUITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# The first Python that will do; set PYTHON to choose another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c "$(SUITS)" 2>/dev/null && echo $$python && break; done)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'

up: $(firstword $(wildcard .venv/dev.done .venv/bench.done) .venv/runtime.done) ## install and run the service, until Ctrl-C
	@exec $(BIN)/atelier up

# Faults are measured, so they have the machine to themselves; all else shares its cores.
test: check ## run everything that CI runs
	@$(BIN)/pytest tests/chaos
	@$(BIN)/pytest --ignore tests/chaos --numprocesses 2 --dist loadfile

check: .venv/dev.done ## format, lint and type checks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

# A finished installation leaves a file `.done`; where there is none, .venv is made anew.
.venv/%.done: requirements/%.txt pyproject.toml
	@if ! ls .venv/*.done >/dev/null 2>&1; then \
		$(or $(PYTHON),false) -c "$(SUITS)" 2>/dev/null || { \
			echo "make: Python 3.11 or newer with venv is needed: install it, or set PYTHON." >&2; \
			exit 1; }; \
		rm -rf .venv && $(PYTHON) -m venv .venv; fi
	@echo "Installing the packages of $< into .venv (once, about a minute)."
	@rm -f .venv/*.done
	@$(PIP) install --require-hashes --requirement $<
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --extra local

lock: .venv/dev.done ## choose the newest versions of all packages (requirements/*.txt)
	@$(PIP) install uv
	@$(COMPILE) pyproject.toml requirements/build.in -o requirements/runtime.txt
	@$(COMPILE) pyproject.toml requirements/build.in requirements/bench.in \
		--constraint requirements/runtime.txt -o requirements/bench.txt
	@$(COMPILE) pyproject.toml requirements/build.in requirements/bench.in requirements/dev.in \
		--constraint requirements/bench.txt -o requirements/dev.txt
	@$(COMPILE) pyproject.toml requirements/build.in requirements/patroni.in \
		--constraint requirements/dev.txt -o requirements/patroni.txt

include bench/bench.mk

clean: ## remove what was installed and cached; the data in .atelier stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
include tests/chaos/chaos.mk
