"""Data access: connections, batches, named queries. Contains no HTTP."""
