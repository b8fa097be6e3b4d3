"""nginx in front of the instances."""
