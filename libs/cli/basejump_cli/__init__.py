"""The basejump command."""
