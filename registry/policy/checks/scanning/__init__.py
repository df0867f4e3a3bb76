"""Looks into files of models without loading them."""
