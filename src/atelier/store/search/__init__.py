"""Search in the questions and answers of one product."""
