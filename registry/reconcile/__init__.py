"""Replays the audit log into the rows that it implies, and compares them with the tables."""
