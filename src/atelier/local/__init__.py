"""What one machine needs: embedded PostgreSQL, nginx, and the supervisor behind `atelier up`."""
