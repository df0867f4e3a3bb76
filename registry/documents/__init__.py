"""Data-preparation, model-selection, QA and other documents of a version, content-addressed."""
