"""The running cluster: instances and nginx as supervised processes."""
