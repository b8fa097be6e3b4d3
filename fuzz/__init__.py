"""Coverage-guided fuzzing of everything that parses what strangers send."""
