"""The machine: folders, locks, users, installed programs."""
