"""Fault injection: faults in a real service under load, with every response checked."""
