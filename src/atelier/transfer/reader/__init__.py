"""Reads a file of an export: clean stretches as they are, everything else record by record."""
