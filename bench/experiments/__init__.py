"""The experiments. Each takes a Stage and fills its part of the results."""
