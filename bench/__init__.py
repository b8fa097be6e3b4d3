"""The benchmark: the service beside its peers, interleaved, on one machine (bench/README.md)."""
