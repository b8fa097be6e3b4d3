"""What is measured. Each experiment takes a Stage and fills its part of the results."""
