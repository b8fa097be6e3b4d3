"""The logs of all parts: collected, rotated, shown."""
