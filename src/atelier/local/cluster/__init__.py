"""The running service: instances and nginx as supervised processes."""
