"""Imports an export."""
