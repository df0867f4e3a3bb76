"""Checklists as YAML, checks and their results, and the evaluation of a gate."""
