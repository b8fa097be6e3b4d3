"""Shared by all routes: error responses, page responses and logging."""
