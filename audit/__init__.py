"""A tamper-evident transparency log (RFC 6962, C2SP) inside the application's own database.

`audit.log` appends, `audit.reads` and `audit.hashes` read and prove, `audit.verifier` verifies from outside,
`audit.keys` signs, `audit.tables` declares the tables and their triggers. README.md says how to use it.
"""
