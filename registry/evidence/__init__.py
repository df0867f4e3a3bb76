"""What an auditor takes home: the log, its proofs, and what verifies them."""
