"""The API contract, against a running service."""
