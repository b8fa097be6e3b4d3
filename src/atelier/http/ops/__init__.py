"""What operators ask of an instance: liveness, readiness, metrics."""
