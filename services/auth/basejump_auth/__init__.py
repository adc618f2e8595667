"""Client secrets, sessions, tokens, signing keys, revocations."""
