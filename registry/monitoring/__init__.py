"""The monitoring plan of a version, the profile of its training data, and the test of its alert route."""
