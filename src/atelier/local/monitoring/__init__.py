"""The cluster's state and metrics."""
