"""Suites that produce every figure of speed and accuracy that the project states."""
