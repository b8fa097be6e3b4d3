"""The data: connections, batches, named queries. Knows no HTTP."""
