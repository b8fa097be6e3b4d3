"""Standby reads and failover, against real servers that replicate."""
