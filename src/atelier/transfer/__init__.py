"""CSV in and out: import, verify, export, generate."""
