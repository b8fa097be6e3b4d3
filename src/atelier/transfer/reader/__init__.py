"""Reads a file of an export: runs of valid records unchanged, all others record by record."""
