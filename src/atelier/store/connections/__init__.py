"""Connections to PostgreSQL: pools, several hosts, hot standbys."""
