.PHONY: chaos

chaos: .venv/dev.done ## do every fault at full length (ten minutes); writes docs/chaos.md
	@CHAOS=full $(BIN)/pytest tests/chaos
