"""The contract, line by line, against a running service."""
