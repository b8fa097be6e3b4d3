"""The API under /admin, for the shop's own people and programs, who have tokens."""
