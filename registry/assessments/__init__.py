"""Bias assessments of a version: runs `fairness` as a job, stores and binds the result."""
