"""PostgreSQL: the embedded server, and what commands need to know of any."""
