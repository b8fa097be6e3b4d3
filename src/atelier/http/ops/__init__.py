"""Endpoints for operators: liveness, readiness, metrics."""
