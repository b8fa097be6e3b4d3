"""Operating a running `atelier up`."""
