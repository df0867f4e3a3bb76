"""What a version in production rests on no longer: flagged as review due, told, and after a grace moved."""
