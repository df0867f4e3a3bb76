"""Facts to model card: HTML, PDF/A with its facts attached, sealed, and verified offline. Knows no database."""
