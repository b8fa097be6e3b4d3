"""Writes an export."""
