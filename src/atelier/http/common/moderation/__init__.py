"""What the API under /admin and the console need to moderate: decisions, results, cursors."""
