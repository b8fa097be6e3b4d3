"""CSV import, export, verification and generation."""
