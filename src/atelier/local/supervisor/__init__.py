"""The supervisor behind `atelier up`."""
