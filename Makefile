# `make` alone lists what there is to make.
.DEFAULT_GOAL := help
.PHONY: help up reload install uninstall test check lock clean

BIN := .venv/bin
PIP_OPTIONS := -m pip --disable-pip-version-check -qq
PIP := $(BIN)/python $(PIP_OPTIONS)
SUITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# The first Python that will do; set PYTHON to choose another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c "$(SUITS)" 2>/dev/null && echo $$python && break; done)

NEEDS_PYTHON = $(or $(PYTHON),false) -c "$(SUITS)" 2>/dev/null || { \
	echo "make: Python 3.11 or newer with venv is needed: install it, or set PYTHON." >&2; exit 1; }

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'

PREPARED = $(firstword $(wildcard .venv/dev.done .venv/bench.done) .venv/runtime.done)

up: $(PREPARED) ## install and run the service, until Ctrl-C
	@exec $(BIN)/atelier up

reload: $(PREPARED) ## install what newer code needs, and have the running service use it
	@exec $(BIN)/atelier reload

# Of its own, not of this folder: what is installed goes on when the checkout changes or is gone.
PREFIX ?= $(if $(HOME),$(HOME)/.local)
INSTALLED = $(PREFIX)/lib/atelier

install: ## install the command atelier into PREFIX (~/.local), or upgrade it there
	@test -n "$(PREFIX)" || { echo "make: HOME is not set: set PREFIX." >&2; exit 1; }
	@$(NEEDS_PYTHON)
	@echo "Installing atelier and the packages of requirements/runtime.txt into $(INSTALLED)."
	@mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib"
	@"$(INSTALLED)/bin/python" -c "$(SUITS)" 2>/dev/null || $(PYTHON) -m venv --clear "$(INSTALLED)"
	@"$(INSTALLED)/bin/python" $(PIP_OPTIONS) install --require-hashes --requirement requirements/runtime.txt
	@"$(INSTALLED)/bin/python" $(PIP_OPTIONS) install --no-deps --no-build-isolation --force-reinstall .
	@ln -sfn ../lib/atelier/bin/atelier "$(PREFIX)/bin/atelier"
	@echo "Installed: $(PREFIX)/bin/atelier. \`make uninstall\` removes it; data stays where it is."
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) \
		echo "Your shell does not find it yet: add to its start file (~/.profile)"; \
		echo "  export PATH=\"$(PREFIX)/bin:\$$PATH\"";; esac

uninstall: ## remove what `make install` put into PREFIX
	@if test -e "$(INSTALLED)/pyvenv.cfg"; then \
		rm -rf "$(INSTALLED)" && rm -f "$(PREFIX)/bin/atelier"; fi

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
		$(NEEDS_PYTHON); \
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
