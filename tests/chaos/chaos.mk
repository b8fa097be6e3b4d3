.PHONY: chaos

# Patroni's etcd is a package of the system; where it cannot be installed, its rows say so.
chaos: .venv/dev.done ## do every fault at full length (ten minutes); writes docs/chaos.md
	@$(PIP) install --require-hashes --requirement requirements/patroni.txt
	@command -v etcd >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq etcd-server >/dev/null; } || true
	@CHAOS=full $(BIN)/pytest tests/chaos
