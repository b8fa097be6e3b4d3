.PHONY: chaos

# etcd, which Patroni requires, is a system package; without it, its rows say "not run".
chaos: .venv/dev.done ## run all fault tests at full length (10 minutes); write docs/chaos.md
	@$(PIP) install --require-hashes --requirement requirements/patroni.txt
	@command -v etcd >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq etcd-server >/dev/null; } || true
	@CHAOS=full $(BIN)/pytest tests/chaos
