"""Parse, prove, bound and compare SQL; pure, no I/O."""
