"""The benchmark: the service and its peers, measured in turn on one machine (bench/README.md)."""
