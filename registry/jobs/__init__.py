"""Durable work outside requests: one table, leases, retries, progress, cancel."""
