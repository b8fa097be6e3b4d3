"""Faults, done to a real service under load, whose every answer is checked."""
