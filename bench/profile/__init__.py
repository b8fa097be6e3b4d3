"""Whose processor time a request takes: `python -m bench profile`."""
