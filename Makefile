# `make` alone lists what there is to make.
.DEFAULT_GOAL := help
.PHONY: help up reload install uninstall test check test-pythons test-ends test-lowest lock sbom audit clean FORCE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

# The first Python that will do; set PYTHON to choose another: .venv is then made anew.
ifneq ($(origin PYTHON),undefined)
CHOSEN := FORCE
endif
SUITS := -c "import sys, venv; sys.exit(sys.version_info < (3, 11))" 2>/dev/null
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python $(SUITS) && echo $$python && break; done)

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
	@mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib"
	@$(PYTHON) scripts/environment.py --copy "$(INSTALLED)" requirements/runtime.txt
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
	@$(MAKE) --no-print-directory test-ends

check: .venv/dev.done ## format, lint and type checks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

.venv/%.done: requirements/%.txt requirements/local.txt pyproject.toml $(CHOSEN) $(if $(wildcard $(BIN)/python),,FORCE)
	@$(or $(PYTHON),false) $(SUITS) || { \
		echo "make: Python 3.11 or newer is needed: install it, or set PYTHON." >&2; exit 1; }
	@$(PYTHON) scripts/environment.py .venv $<

# What differs from one Python to another shows here: what speaks HTTP, SQL and CSV, and what runs
# programs. The whole of the tests runs on the Python of .venv, and on every PostgreSQL.
QUICK := --numprocesses 2 --dist loadfile -k "not system-" --ignore tests/contract/test_docs_page.py \
	tests/contract tests/store tests/local tests/transfer tests/test_up.py

test-pythons: ## run the quick tests on every Python from 3.11 on that is here
	@$(call quick_tests_on,)

test-ends: .venv/dev.done ## the same on the oldest and the newest, but for that of .venv
	@$(call quick_tests_on,--ends $$($(BIN)/python -c 'import platform; print(platform.python_version())'))

quick_tests_on = failed=; for version in $$($(PYTHON) scripts/pythons.py $(1)); do \
	$(MAKE) --no-print-directory test-python-$$version || failed="$$failed $$version"; done; \
	test -z "$$failed" || { echo "make: the quick tests failed on Python$$failed." >&2; exit 1; }

test-python-%: .venvs/%/test.done
	@echo "The quick tests on Python $*:"
	@.venvs/$*/bin/pytest $(QUICK)

.PRECIOUS: .venvs/%/test.done
.venvs/%/test.done: requirements/test.txt requirements/local.txt pyproject.toml
	@python=$$($(PYTHON) scripts/pythons.py $*) && "$$python" scripts/environment.py .venvs/$* $<

test-lowest: requirements/lowest.txt ## run the quick tests with the lowest versions that pyproject.toml allows
	@$(PYTHON) scripts/environment.py .venvs/lowest requirements/test.txt
	@.venvs/lowest/$(PIP:.venv/%=%) install --require-hashes --requirement $<
	@.venvs/lowest/bin/pytest $(QUICK)

# `make lock UPGRADE=` keeps the versions that are locked, and adds what is missing.
UPGRADE := --upgrade
COMPILE = $(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"
COMPILE_ALL = $(COMPILE) pyproject.toml requirements/build.in

lock: .venv/dev.done ## choose the newest versions of all packages (requirements/*.txt), and of pip
	@$(PIP) install uv
	@$(COMPILE) requirements/pip.in -o requirements/pip.txt
	@rm -f requirements/pip-*.whl
	@$(PIP) download --no-deps --require-hashes --requirement requirements/pip.txt --dest requirements
	@$(COMPILE_ALL) -o requirements/runtime.txt
	@$(COMPILE_ALL) --extra local \
		--constraint requirements/runtime.txt -o requirements/local.txt
	@$(COMPILE_ALL) requirements/bench.in \
		--constraint requirements/local.txt -o requirements/bench.txt
	@$(COMPILE_ALL) requirements/test.in \
		--constraint requirements/bench.txt -o requirements/test.txt
	@$(COMPILE_ALL) requirements/bench.in requirements/test.in requirements/dev.in \
		--constraint requirements/local.txt --constraint requirements/test.txt -o requirements/dev.txt
	@$(COMPILE_ALL) requirements/patroni.in \
		--constraint requirements/dev.txt -o requirements/patroni.txt
	@$(COMPILE) pyproject.toml --resolution lowest-direct -o requirements/lowest.txt

sbom: .venv/dev.done ## list what is installed with the service (dist/atelier.cdx.json)
	@$(BIN)/python scripts/sbom.py dist/atelier.cdx.json

audit: .venv/dev.done ## look up what is locked among known vulnerabilities
	@$(BIN)/python scripts/audit.py

include bench/bench.mk

clean: ## remove what was installed and cached; the data in .atelier stays
	@rm -rf .venv .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
include tests/chaos/chaos.mk
