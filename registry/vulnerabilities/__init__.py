"""The export of known vulnerabilities that the operator supplies."""
