"""Decisions, without any I/O."""
