"""The import."""
