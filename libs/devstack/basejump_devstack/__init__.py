"""The embedded default: PostgreSQL, NATS, the demo database and every service, on one machine."""
