"""`atelier up` as an operator meets it."""
