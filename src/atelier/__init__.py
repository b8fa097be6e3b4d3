"""Atelier Q&A: the questions-and-answers service behind a shop's product pages."""

__version__ = "0.1.0"
