"""The CPU time of a request by component: `python -m bench profile`."""
