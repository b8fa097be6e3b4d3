"""The logs of all components: collected, rotated, shown."""
