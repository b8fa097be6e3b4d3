"""The host: folders, locks, users, installed programs."""
