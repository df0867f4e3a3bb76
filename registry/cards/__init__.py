"""Gathers the facts of a version and has `reports` render and seal them."""
