.PHONY: fuzz

FUZZ_MINUTES ?= 10

# A process for each target, so that all cores are used.
fuzz: .venv/dev.done ## look for inputs that break something: the API by its specification, and every parser (25 minutes)
	@$(PIP) install --require-hashes --requirement requirements/fuzz.txt
	@FUZZ=full $(BIN)/pytest tests/contract/test_schemathesis.py --numprocesses 2
	@printf '%s\n' query body csv header \
		| xargs -P 2 -I '{}' $(BIN)/python -m fuzz '{}' --minutes $(FUZZ_MINUTES)
