# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help up reload install uninstall test check test-pythons test-ends test-lowest test-image test-hosts lock sbom bundle release audit clean shots FORCE

# Hundreds of processes start in the tests: what each of them compiles is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

# The first suitable Python; set PYTHON to choose another: .venv is then recreated.
ifneq ($(origin PYTHON),undefined)
REBUILD := FORCE
endif
IS_SUPPORTED := -c "import sys, venv; sys.exit(sys.version_info < (3, 11))" 2>/dev/null
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python $(IS_SUPPORTED) && echo $$python && break; done)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{printf "%-17s %s\n", $$1, $$2}'

ENVIRONMENT = $(firstword $(wildcard .venv/dev.done .venv/bench.done) .venv/runtime.done)

up: $(ENVIRONMENT) ## install and run the service, until Ctrl-C
	@exec $(BIN)/atelier up

reload: $(ENVIRONMENT) ## install the requirements of updated code, and restart the running service on it
	@exec $(BIN)/atelier reload

# Independent of the checkout: the installation keeps working when it changes or is removed.
PREFIX ?= $(if $(HOME),$(HOME)/.local)
INSTALLED = $(PREFIX)/lib/atelier

install: ## install the command atelier into PREFIX (~/.local), or upgrade it there
	@test -n "$(PREFIX)" || { echo "make: HOME is not set: set PREFIX." >&2; exit 1; }
	@mkdir -p "$(PREFIX)/bin" "$(PREFIX)/lib"
	@$(PYTHON) scripts/environment.py --copy "$(INSTALLED)" requirements/runtime.txt
	@ln -sfn ../lib/atelier/bin/atelier "$(PREFIX)/bin/atelier"
	@echo "Installed: $(PREFIX)/bin/atelier. \`make uninstall\` removes it; data is kept."
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) \
		echo "It is not in your PATH yet: add to your shell's startup file (~/.profile)"; \
		echo "  export PATH=\"$(PREFIX)/bin:\$$PATH\"";; esac

uninstall: ## remove what `make install` installed in PREFIX
	@if test -e "$(INSTALLED)/pyvenv.cfg"; then \
		rm -rf "$(INSTALLED)" && rm -f "$(PREFIX)/bin/atelier"; fi

# The fault tests mostly wait, so the others run beside them: only `make chaos` checks figures.
test: .venv/dev.done ## run all checks and tests that CI runs
	@$(MAKE) --no-print-directory --keep-going --jobs --output-sync check test-faults test-others

.PHONY: test-faults test-others test-main test-specification
test-faults: .venv/dev.done
	@$(BIN)/pytest $(PLAIN) tests/chaos

# At once, without --output-sync: it shows its progress.
test-others: .venv/dev.done
	@$(MAKE) --no-print-directory --output-sync=none test-main
	@$(MAKE) --no-print-directory --keep-going --jobs --output-sync \
		test-specification test-ends

# In the order of tests/conftest.py: a file at a time, so that its tests share what they start.
# One more than the cores of the smallest machine: tests often wait for the processes they start.
PARALLEL := --numprocesses 3 --dist loadfile --no-loadscope-reorder

# It takes seconds to collect, as it generates its cases then: in one process, not in all. The
# others do without its plugin, too.
GENERATED := tests/contract/test_schemathesis.py
PLAIN := -p no:schemathesis

test-main: .venv/dev.done
	@$(BIN)/pytest --ignore tests/chaos --ignore $(GENERATED) $(PLAIN) $(PARALLEL)

test-specification: .venv/dev.done
	@$(BIN)/pytest $(GENERATED)

test-image: .venv/dev.done ## build the container image and run its processes (as root, on Debian)
	@$(BIN)/pytest tests/deploy/image.py

test-hosts: .venv/dev.done ## run the service on several hosts: upgrade, lost hosts, failover (as root, on Debian)
	@$(BIN)/pytest --capture no tests/deploy/hosts.py

check: .venv/dev.done ## format, lint and type checks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

.venv/%.done: requirements/%.txt requirements/local.txt pyproject.toml $(REBUILD) $(if $(wildcard $(BIN)/python),,FORCE)
	@$(or $(PYTHON),false) $(IS_SUPPORTED) || { \
		echo "make: Python 3.11 or newer is needed: install it, or set PYTHON." >&2; exit 1; }
	@$(PYTHON) scripts/environment.py .venv $<

# Tests that may depend on the Python version, without those that mostly start commands and
# servers. All tests run on the Python of .venv, and on every installed PostgreSQL.
QUICK := $(PLAIN) -k "not system-" --ignore tests/contract/test_docs_page.py \
	--ignore $(GENERATED) \
	tests/contract tests/store tests/http tests/local/test_process.py \
	$(addprefix tests/transfer/test_,reader.py reader_properties.py import.py verify.py export.py)

test-pythons: ## run the quick tests on every installed Python from 3.11 on
	@$(call on_pythons,,$(QUICK))

# What the standard library, the interpreter and compiled packages decide: HTTP, JSON, text, URLs,
# CSV, asyncio, subprocesses. What the database or a browser decides does not depend on the Python.
ENDS := $(PLAIN) -k "not system- and not import" tests/http tests/local/test_process.py \
	$(patsubst %,tests/contract/test_%.py,answers_page client_habits cors dates fast_path fast_votes \
	front_page idempotency ids methods pages paging post_bodies post_texts post_values posting \
	problem_details questions_page routes specification text_properties texts v1_writing votes \
	widget_files without_database) \
	$(patsubst %,tests/store/test_%.py,batcher connections large_pages rule_files timeouts url) \
	$(patsubst %,tests/transfer/test_%.py,reader reader_properties export)

test-ends: .venv/dev.done ## run those that depend most on it on the oldest and the newest Python, except that of .venv
	@$(call on_pythons,--ends $$($(BIN)/python -c 'import platform; print(platform.python_version())'),$(ENDS))

# Two Pythons at a time, each with one process; the output of each is shown when it ends.
on_pythons = found=$$($(PYTHON) scripts/pythons.py $(1)) && $(MAKE) --no-print-directory \
	--keep-going --jobs 2 --output-sync TESTS='$(2)' \
	$$(for each in $$found; do echo test-python-$$each; done) nothing

.PHONY: nothing
nothing:
	@:

test-python-%: .venvs/%/test.done
	@echo "The quick tests on Python $*:"
	@.venvs/$*/bin/pytest $(or $(TESTS),$(QUICK))

.PRECIOUS: .venvs/%/test.done
.venvs/%/test.done: requirements/test.txt requirements/local.txt pyproject.toml
	@python=$$($(PYTHON) scripts/pythons.py $*) && "$$python" scripts/environment.py .venvs/$* $<

test-lowest: requirements/lowest.txt ## run the quick tests with the lowest versions that pyproject.toml allows
	@$(PYTHON) scripts/environment.py .venvs/lowest requirements/test.txt
	@.venvs/lowest/$(PIP:.venv/%=%) install --require-hashes --requirement $<
	@.venvs/lowest/bin/pytest $(PARALLEL) $(QUICK)

# `make lock UPGRADE=` keeps the locked versions, and adds missing packages.
UPGRADE := --upgrade
COMPILE = $(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"
COMPILE_ALL = $(COMPILE) pyproject.toml requirements/build.in

lock: .venv/dev.done ## lock the newest versions of all packages (requirements/*.txt), and of pip
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
	@$(COMPILE) pyproject.toml --extra aws --constraint requirements/dev.txt -o requirements/aws.txt
	@$(COMPILE) requirements/fuzz.in -o requirements/fuzz.txt
	@$(COMPILE) pyproject.toml --resolution lowest-direct -o requirements/lowest.txt

sbom: .venv/dev.done ## list the components of an installation (dist/atelier.cdx.json)
	@$(BIN)/python scripts/sbom.py dist/atelier.cdx.json

# BUNDLE="--python 3.11 --python 3.13 --machine x86_64" adds the wheels of all requirements.
bundle: .venv/dev.done ## make the release that hosts install (dist/atelier-VERSION-hosts.tar.gz)
	@$(BIN)/python -m scripts.bundle $(BUNDLE)

release: .venv/dev.done ## make release VERSION=0.2.0 [KEY=SSH_KEY]: changelog, tag, and signed files in dist/
	@$(BIN)/python scripts/release.py "$(VERSION)" $(if $(KEY),--key "$(KEY)")

audit: .venv/dev.done ## look up known vulnerabilities of the locked packages
	@$(BIN)/python scripts/audit.py

include bench/bench.mk

shots: .venv/dev.done ## take pictures of the pages and the widget (dist/shots)
	@exec $(BIN)/python -m scripts.shots $(SHOTS)

clean: ## remove environments and caches; the data in .atelier is kept
	@rm -rf .venv .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
include tests/chaos/chaos.mk
include fuzz/fuzz.mk
