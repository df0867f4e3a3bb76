"""Tests: they mirror the packages, and `tests/journeys/` tells whole stories."""
