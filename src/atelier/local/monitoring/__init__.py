"""The service's state and metrics."""
