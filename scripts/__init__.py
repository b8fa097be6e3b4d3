"""What make runs to set up environments. The standard library is enough for it."""
