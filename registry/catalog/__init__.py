"""Registered models, model versions, aliases, tags and lineage."""
