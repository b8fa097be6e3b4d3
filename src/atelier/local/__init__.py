"""The local service: embedded PostgreSQL, nginx, and the supervisor of `atelier up`."""
