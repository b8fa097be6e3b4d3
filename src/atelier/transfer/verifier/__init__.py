"""Proves that the database holds what an export holds."""
