"""MLflow at the edges of Acta: what a tracking run knows about a model version."""
