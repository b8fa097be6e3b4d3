"""Database access shared by import, export and verification."""
