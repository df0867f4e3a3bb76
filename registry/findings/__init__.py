"""Findings: what people and checks found wrong with a version, who mends it by when, and who says that it is mended."""
