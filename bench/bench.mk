# The benchmark's targets, included by the Makefile. BENCH passes options (see bench/README.md).
.PHONY: bench bench-quick bench-compare profile soak soak-hostile

BENCH_READY := $(or $(wildcard .venv/dev.done),.venv/bench.done)

bench: $(BENCH_READY) ## compare with the peers at full size; write docs/performance.md (35 minutes)
	@exec $(BIN)/python -m bench run $(BENCH)

bench-quick: $(BENCH_READY) ## the same on a tenth of the data (3 minutes)
	@exec $(BIN)/python -m bench run --quick $(BENCH)

BASE ?= HEAD

bench-compare: $(BENCH_READY) ## compare this checkout with its revision BASE (3 minutes)
	@exec $(BIN)/python -m bench compare $(BASE) $(BENCH)

profile: $(BENCH_READY) ## measure the CPU time of a request by component; write docs/profile.md (10 minutes)
	@exec $(BIN)/python -m bench profile $(BENCH)

soak: $(BENCH_READY) ## run a steady mixed load for 30 minutes
	@exec $(BIN)/python -m bench soak $(BENCH)

soak-hostile: $(BENCH_READY) ## the same at 300 requests/s for 20 minutes beside hostile clients
	@exec $(BIN)/python -m bench soak --minutes 20 --rate 300 --quick --hostile $(BENCH)
