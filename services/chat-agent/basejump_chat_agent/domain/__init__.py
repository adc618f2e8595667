"""Decisions without I/O: what a prompt says, what ends it, which database it means."""
