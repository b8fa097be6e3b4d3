"""The export."""
