"""Scripts that make runs to set up environments; they use only the standard library."""
